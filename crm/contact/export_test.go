package contact

// Export writes a person's copy, for tests that take it without a package.
var Export = (*Contacts).export
