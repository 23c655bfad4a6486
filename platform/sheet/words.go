package sheet

import "strings"

// monthOf knows the months of English, German and Hindi by their first letters, in lower case; 0 for another word.
func monthOf(w string) int {
	switch {
	case len(w) < 3 || len(w) > 30:
		return 0
	case isMonth(w, "january", "januar", "जनवरी", "जन॰", "जन", "jän"):
		return 1
	case isMonth(w, "february", "februar", "फ़रवरी", "फरवरी", "फ़र॰", "फ़र"):
		return 2
	case isMonth(w, "march", "märz", "mrz", "मार्च"):
		return 3
	case isMonth(w, "april", "अप्रैल", "अप्रै"):
		return 4
	case isMonth(w, "may", "mai", "मई"):
		return 5
	case isMonth(w, "june", "juni", "जून"):
		return 6
	case isMonth(w, "july", "juli", "जुलाई", "जुल॰", "जुल"):
		return 7
	case isMonth(w, "august", "अगस्त", "अग॰", "अग"):
		return 8
	case isMonth(w, "september", "sept", "सितंबर", "सितम्बर", "सित॰", "सित"):
		return 9
	case isMonth(w, "october", "oktober", "अक्टूबर", "अक्तूबर", "अक्टू॰", "अक्तू॰"):
		return 10
	case isMonth(w, "november", "नवंबर", "नवम्बर", "नव॰", "नव"):
		return 11
	case isMonth(w, "december", "dezember", "दिसंबर", "दिसम्बर", "दिस॰", "दिस"):
		return 12
	default:
		return 0
	}
}

// isMonth compares with whole names, and with the first three letters of Latin ones.
func isMonth(w string, names ...string) bool {
	for _, n := range names {
		if w == n || len(w) == 3 && n[0] < 0x80 && strings.HasPrefix(n, w) {
			return true
		}
	}
	return false
}

func weekday(w string) bool {
	for _, n := range [...]string{"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday", "tues", "wednes", "thurs", "thur",
		"montag", "dienstag", "mittwoch", "donnerstag", "freitag", "samstag", "sonntag", "mo", "di", "mi", "do", "fr", "sa", "so",
		"सोमवार", "मंगलवार", "बुधवार", "गुरुवार", "शुक्रवार", "शनिवार", "रविवार", "सोम", "मंगल", "बुध", "गुरु", "शुक्र", "शनि", "रवि"} {
		if w == n || len(w) == 3 && n[0] < 0x80 && strings.HasPrefix(n, w) {
			return true
		}
	}
	return false
}

// abbreviation is the offset of a zone's abbreviation in seconds. Those that mean different zones are settled by the
// organisation's country, else by the most common use.
func abbreviation(name, country string) (int, bool) {
	const half, hour = 1800, 3600
	switch strings.ToUpper(country) + " " + name {
	case "IE IST":
		return hour, true
	case "IL IST":
		return 2 * hour, true
	case "BD BST":
		return 6 * hour, true
	case "CN CST", "TW CST":
		return 8 * hour, true
	case "AU EST":
		return 10 * hour, true
	}
	switch name {
	case "UTC", "GMT", "Z", "UCT", "WET":
		return 0, true
	case "IST":
		return 11 * half, true
	case "BST", "CET", "MEZ", "WEST", "WAT":
		return hour, true
	case "CEST", "MESZ", "EET", "SAST", "CAT":
		return 2 * hour, true
	case "EEST", "MSK", "AST", "EAT":
		return 3 * hour, true
	case "GST":
		return 4 * hour, true
	case "PKT":
		return 5 * hour, true
	case "NPT":
		return 11*half + 900, true
	case "ICT", "WIB":
		return 7 * hour, true
	case "SGT", "HKT", "MYT", "PHT", "AWST":
		return 8 * hour, true
	case "JST", "KST":
		return 9 * hour, true
	case "AEST":
		return 10 * hour, true
	case "AEDT":
		return 11 * hour, true
	case "NZST":
		return 12 * hour, true
	case "NZDT":
		return 13 * hour, true
	case "EST":
		return -5 * hour, true
	case "EDT":
		return -4 * hour, true
	case "CST":
		return -6 * hour, true
	case "CDT":
		return -5 * hour, true
	case "MST":
		return -7 * hour, true
	case "MDT":
		return -6 * hour, true
	case "PST":
		return -8 * hour, true
	case "PDT":
		return -7 * hour, true
	default:
		return 0, false
	}
}
