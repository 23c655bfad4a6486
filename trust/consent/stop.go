package consent

import (
	"slices"
	"strings"
	"unicode"
)

// stopPhrases are what people send to get no more messages, by language. Each is folded as fold does.
func stopPhrases() []string {
	return []string{
		"stop", "stopall", "stop all", "unsubscribe", "end", "quit", "cancel", "opt out", "optout", "remove", "remove me", "unsub", "stop it", "stop messages", "stop sms", "no more",
		"stop calling", "stop calling me", "stop messaging me", "do not call", "do not call me", "dont call me", "do not contact me", "dont contact me", "dnd", // en
		"रोकें", "रोको", "बंद", "बंद करो", "बंद करें", "बन्द करो", "बन्द करें", "मत भेजो", "मत भेजें", "संदेश बंद करें", "कॉल मत करो", "कॉल मत करें", "सदस्यता समाप्त", "band karo", "band karen", "mat bhejo", "call mat karo", // hi
		"থামুন", "থামাও", "বন্ধ", "বন্ধ করুন", // bn
		"நிறுத்து", "நிறுத்தவும்", "வேண்டாம்", // ta
		"ఆపండి", "ఆపు", "వద్దు", // te
		"थांबा", "थांबवा", "बंद करा", "नको", // mr
		"બંધ", "બંધ કરો", "રોકો", // gu
		"ನಿಲ್ಲಿಸಿ", "ನಿಲ್ಲಿಸು", "ಬೇಡ", // kn
		"നിർത്തുക", "നിർത്തൂ", "വേണ്ട", // ml
		"ਰੋਕੋ", "ਬੰਦ ਕਰੋ", "ਬੰਦ", // pa
		"بند کرو", "بند کریں", "روکو", // ur
		"توقف", "إيقاف", "ايقاف", "الغاء", "إلغاء", "الغاء الاشتراك", "إلغاء الاشتراك", // ar
		"stopp", "abmelden", "abbestellen", "beenden", "keine werbung", // de
		"arret", "arrêt", "arrêter", "arreter", "desabonner", "désabonner", "se désabonner", "désinscription", "desinscription", // fr
		"alto", "parar", "baja", "darme de baja", "cancelar", "detener", "no más", "no mas", // es
		"pare", "sair", "remover", "cancelar inscrição", "descadastrar", // pt
		"ferma", "basta", "annulla", "cancellami", "disiscrivi", "disiscrivimi", // it
		"stoppen", "afmelden", "uitschrijven", // nl
		"стоп", "отписаться", "отписка", "отмена", // ru
		"rezygnuję", "rezygnuje", "wypisz", "wypisz mnie", // pl
		"dur", "iptal", "durdur", "ret", "aboneliği iptal et", // tr
		"停止", "退订", "退訂", "取消", "取消订阅", "td", // zh
		"配信停止", "解除", "中止", // ja
		"berhenti", "batal", "hentikan", "keluar", // id
	}
}

// courtesies say nothing about what is wanted.
func courtesies() []string {
	return []string{
		"please", "pls", "plz", "now", "thanks", "thank you", "immediately", "sir", "madam", "ji", "hi", "hello", "कृपया", "जी", "धन्यवाद", "bitte", "danke", "merci", "svp", "por favor", "gracias", "obrigado", "per favore", "grazie",
		"alstublieft", "пожалуйста", "proszę", "lütfen", "请", "tolong",
	}
}

// IsStop tells whether a message that came back asks for no more. It looks at what the person wrote, not at the message
// they quote, and takes a whole reply only: "stop by at five" is no stop.
func IsStop(text string) bool {
	reply := written(text)
	for _, c := range courtesies() {
		reply = strings.Trim(strings.ReplaceAll(" "+reply+" ", " "+c+" ", " "), " ")
	}
	if slices.Contains(stopPhrases(), reply) {
		return true
	}
	words := strings.Fields(reply)
	return len(words) > 0 && len(words) <= 8 && slices.Contains(words, "unsubscribe")
}

// written is the first paragraph that the person wrote themself, folded: lower case, without marks, one space between words.
func written(text string) string {
	var out []string
	for line := range strings.Lines(strings.ReplaceAll(text, "\r\n", "\n")) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, ">") || strings.HasPrefix(line, "-----") || line == "--" || strings.HasSuffix(line, "wrote:") || strings.HasPrefix(line, "Sent from ") {
			break
		}
		if folded := fold(line); folded != "" {
			out = append(out, folded)
		} else if len(out) > 0 {
			break
		}
	}
	return strings.Join(out, " ")
}

// fold makes texts comparable. The dot that lower case leaves of a Turkish İ goes, and so do invisible marks.
func fold(line string) string {
	clean := strings.Map(func(r rune) rune {
		switch {
		case r == '\u0307' || r == '\'' || r == '’' || r == '\ufe0f':
			return -1
		case unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r):
			return r
		case r == '\u200d' || r == '\u200c':
			return -1
		default:
			return ' '
		}
	}, strings.ToLower(line))
	return strings.Join(strings.Fields(clean), " ")
}
