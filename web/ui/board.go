package ui

// Board shows things in lanes, one lane a stage: cards are dragged, moved by keys, or moved by the form in each.
type Board struct {
	Label string // of the whole, for who does not see it
	Hint  string // how keys move a card
	Lanes []Lane
	Empty *Empty // shown in place of the lanes
}

// Lane is one stage of a board.
type Lane struct {
	ID    string // of the stage, as the address of a move takes it
	Title string
	Count string
	Note  string // such as the sum of what lies there
	Cards []Card
	More  *Link // the way to those that are not shown
	Empty string
}

// Card is one thing of a board.
type Card struct {
	ID    string // of the thing
	Rev   int64  // as it was shown: a move of one that changed meanwhile is refused
	Title string
	Href  string
	Sub   string
	Side  string // at the right of the title, such as a value
	Facts []CardFact
	Tags  []Tag
	Move  string // address that a move is posted to; "" when the reader may not move it
	// Stages are the lanes it may be put into, for the form.
	Stages []Option
	Late   bool // what was due is over
}

// CardFact is a small line on a card.
type CardFact struct {
	Icon, Text, Title string
	Kind              Kind
}
