package call

// ManyRows is how many notes have a word where it does not matter how many.
const ManyRows = manyRows
