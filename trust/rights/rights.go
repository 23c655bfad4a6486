// Package rights carries out what people ask about their own data: access, a portable copy, correction, erasure,
// restriction, objection, withdrawal of consent, or a complaint. Requests from the public page, by mail, by phone and
// through the API stand in one queue, with the clocks of the law that applies.
//
// Before a person has proved who they are, nothing is looked up: so nothing can be told, not even whether data exists.
// Afterwards an officer sees a plan, approves it, it is carried out store by store, and a signed receipt says what was
// done. A request that is broken off goes on where it was.
package rights
