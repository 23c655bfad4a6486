package contract

import (
	"embed"
	"fmt"
	"strconv"
	"strings"

	"parley/bench/seed"
)

//go:embed query/*.sql
var files embed.FS

// Dialect is where SQL engines differ in what the questions need.
type Dialect struct {
	Divide string // the operator for whole-number division
}

// SQL writes q for an engine. The texts in query/ name the metric contract's terms in braces, so that each definition
// stands in one place: here.
func (q Query) SQL(d Dialect) (string, error) {
	text, err := files.ReadFile("query/" + strings.ReplaceAll(string(q.Kind), " ", "_") + ".sql")
	if err != nil {
		return "", err
	}
	scope := fmt.Sprintf("day >= %d AND day < %d", q.From, q.To)
	switch len(q.Agents) {
	case 0:
	case 1:
		scope += fmt.Sprintf(" AND agent = %d", q.Agents[0])
	default:
		scope += " AND agent IN (" + list(q.Agents) + ")"
	}
	return strings.NewReplacer(
		"{scope}", scope,
		"{from}", strconv.Itoa(int(q.From)),
		"{connected}", "type IN (1, 2) AND seconds >= 1",
		"{missed}", "(type = 3 OR type = 1 AND seconds < 1)",
		"{unattended}", "(type IN (3, 4, 5) OR type = 1 AND seconds < 1)",
		"{not_picked_up}", "type = 2 AND seconds < 1",
		"{person}", "num <> 0",
		"{gap}", strconv.Itoa(GapSeconds),
		"{page}", strconv.Itoa(PageRows),
		"{zone}", strconv.Itoa(seed.ZoneOffset),
		"{/}", d.Divide,
	).Replace(string(text)), nil
}

func list(agents []int32) string {
	var b strings.Builder
	for i, a := range agents {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(strconv.Itoa(int(a)))
	}
	return b.String()
}
