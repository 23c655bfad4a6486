package file

// Export writes a person's copy without a package around it.
var Export = (*Files).export
