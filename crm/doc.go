// Package crm is the wing of the people outside: contacts, leads, who works on them and what is next. Its packages know
// calls and trust; nothing below knows them.
package crm
