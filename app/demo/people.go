package demo

import "fmt"

// person is an agent's name and temperament.
type person struct {
	name, team string
	leads      bool
	secondSIM  bool
	busy       float64 // share of calls, 1 is usual
	dials      float64 // share of calls that are outgoing
	answers    float64 // share of incoming calls that are picked up
	returns    float64 // share of missed callers that are called back
	talks      float64 // added to the logarithm of talk times
	begins     int     // minutes later than others
}

func teamNames() [3]string { return [3]string{"Sales North", "Sales West", "Support"} }

// staff are the agents. The one who dials most connects least, and the quiet one calls everybody back: leaderboards
// should have something to say.
func staff() []person {
	t := teamNames()
	return []person{
		{name: "Meera Iyer", team: t[2], leads: true, busy: 1.1, dials: 0.25, answers: 0.90, returns: 0.85, talks: 0.2},
		{name: "Rohan Kulkarni", team: t[1], leads: true, busy: 1.0, dials: 0.55, answers: 0.82, returns: 0.75, talks: 0.1, secondSIM: true},
		{name: "Priya Nair", team: t[0], leads: true, busy: 1.2, dials: 0.60, answers: 0.85, returns: 0.80, talks: 0.3},
		{name: "Imran Sheikh", team: t[0], busy: 1.7, dials: 0.78, answers: 0.60, returns: 0.40, talks: -0.5, secondSIM: true},
		{name: "प्रिया शर्मा", team: t[1], busy: 0.9, dials: 0.50, answers: 0.80, returns: 0.65, talks: 0.0},
		{name: "Harpreet Singh", team: t[0], busy: 1.1, dials: 0.58, answers: 0.72, returns: 0.55, talks: 0.2, begins: 25},
		{name: "Lakshmi Rao", team: t[2], busy: 1.3, dials: 0.30, answers: 0.84, returns: 0.70, talks: 0.4},
		{name: "Joseph D'Souza", team: t[1], busy: 0.7, dials: 0.45, answers: 0.76, returns: 0.60, talks: 0.5, begins: 40},
		{name: "Farah Khan", team: t[2], busy: 1.0, dials: 0.28, answers: 0.88, returns: 0.90, talks: 0.1},
		{name: "अर्जुन पाटील", team: t[1], busy: 0.8, dials: 0.52, answers: 0.66, returns: 0.35, talks: -0.2, secondSIM: true},
		{name: "Sunita Yadav", team: t[0], busy: 0.6, dials: 0.48, answers: 0.70, returns: 0.50, talks: 0.0, begins: 15},
		{name: "Vikram Reddy", team: t[0], busy: 0.5, dials: 0.66, answers: 0.78, returns: 0.95, talks: 0.6},
	}
}

type model struct{ name, os string }

func models() []model {
	return []model{{"Redmi Note 13", "Android 14"}, {"Galaxy A15", "Android 14"}, {"realme 12", "Android 14"}, {"vivo Y28", "Android 13"}, {"Moto G54", "Android 14"}}
}

// ownNumber is the n-th number of the organisation itself, n below 100.
func ownNumber(n int) string { return fmt.Sprintf("+91500000%04d", n) }

// Customers that stand for the excluded numbers.
const (
	familyNumber = 1
	doctorNumber = 2
)

// customerNumber is the number of the n-th person outside, from 1: Indian ones in the range that begins with 50, and now
// and then one of the numbers that Ofcom and the NANPA keep for fiction.
func customerNumber(n int) string {
	switch {
	case n%41 == 17 && n/41 < 1000:
		return fmt.Sprintf("+447700900%03d", n/41)
	case n%67 == 23 && n/67 < 100:
		return fmt.Sprintf("+120255501%02d", n/67)
	default:
		const spread, range8 = 38_847_613, 100_000_000 // coprime: every n another number
		v := n * spread % range8
		if v < 10_000 { // the organisation's own
			v += 10_000
		}
		return fmt.Sprintf("+9150%08d", v)
	}
}

// customerName is what address books say of the n-th person; "" for those who are in none.
func customerName(n int) string {
	first := [...]string{"Anil", "Kavita", "Suresh", "Neha", "Rahul", "Pooja", "Manoj", "Divya", "Sanjay", "Anita", "Deepak", "Ritu", "Ganesh", "Swati", "Naveen",
		"Geeta", "Arvind", "Shalini", "Mohan", "Rekha", "संजय", "कविता", "राहुल", "सुनीता", "दीपक"}
	last := [...]string{"Gupta", "Joshi", "Patel", "Das", "Mehta", "Pillai", "Chauhan", "Banerjee", "Naidu", "Kaur", "Mishra", "Fernandes", "Desai", "Bose", "Saxena"}
	shops := [...]string{"Lakshmi Stores", "Om Traders", "Shree Ganesh Hardware", "National Medicals", "शिव मेडिकल", "Royal Textiles", "City Electricals", "New India Book House"}
	switch h := n * 2_654_435_761 % 1000; {
	case h < 420:
		return ""
	case h < 470:
		return fmt.Sprintf("%s %d", shops[n%len(shops)], 1+n%7)
	default:
		return first[n%len(first)] + " " + last[n/7%len(last)]
	}
}

func notes() []string {
	return []string{
		"Wants the price list for 50 units by Friday.", "Asked to be called again after Diwali.", "Order confirmed, advance paid by UPI.",
		"Complaint about late delivery; promised an answer today.", "Not interested at the moment.", "Send the catalogue on WhatsApp.",
		"Speaks Marathi, prefers calls after 4 pm.", "Invoice 2214 is wrong, accounts will check.", "Will visit the shop on Saturday.", "कल सुबह फिर फ़ोन करना है।",
		"Does not want calls about offers any more; orders are fine.", "Asked what we keep about them. Told them about the privacy page.",
	}
}

func tags() []string {
	return []string{"order", "complaint", "price", "follow-up", "delivery", "new customer", "no offers"}
}
