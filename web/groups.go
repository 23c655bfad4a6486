package web

import (
	"strconv"
	"strings"

	"parley/account"
	"parley/crm/intake"
	"parley/web/ui"
)

const groupsPath = leadSettingsPath + "/groups"

// groupRoutes say which groups of phones' address books are collected.
func (s *site) groupRoutes() []route {
	return []route{
		{"GET " + groupsPath, account.ManagePipelines, groupsForm},
		{"POST " + groupsPath, account.ManagePipelines, saveGroups},
	}
}

// groupsPart shows which groups of address books are collected.
func (d *desk) groupsPart() (settingsPart, error) {
	part := settingsPart{Text: d.t("leadset.groups.text"), Acts: []ui.Action{{Title: d.t("leadset.groups.change"), Href: groupsPath, Icon: "edit"}}}
	part.Table = ui.Table{Title: d.t("leadset.groups"), Columns: []ui.Column{{Title: d.t("leadset.name")}}, Empty: &ui.Empty{Icon: "shield", Title: d.t("leadset.groups.none"), Text: d.t("leadset.groups.none.text")}}
	set, err := d.Intake.Groups(d.ctx(), d.DB, d.org().ID)
	for _, name := range set.Names {
		part.Table.Rows = append(part.Table.Rows, ui.Row{Cells: []ui.Cell{{Text: name, Strong: true}}})
	}
	return part, err
}

func groupsForm(v *visit) error {
	set, err := v.Intake.Groups(v.ctx(), v.DB, v.org().ID)
	if err != nil {
		return err
	}
	return v.render("form", v.groupsPage(set))
}

func (v *visit) groupsPage(set intake.Groups) *form {
	f := &form{Frame: v.leadSettingsFrame(v.t("leadset.groups")), Submit: v.t("leadset.save"), Hidden: []ui.Param{{Name: "rev", Value: strconv.FormatInt(set.Rev, 10)}}}
	f.Sections = []section{{Text: v.t("leadset.groups.text"), Fields: []ui.Field{
		{Name: "groups", Label: v.t("leadset.groups.names"), Help: v.t("leadset.groups.help"), Type: "textarea", Value: strings.Join(set.Names, "\n")},
	}}}
	return f
}

func saveGroups(v *visit) error {
	rev, err := v.whole("rev")
	set := intake.Groups{Rev: int64(rev)}
	for name := range strings.SplitSeq(v.typed("groups"), "\n") {
		if name = strings.TrimSpace(name); name != "" {
			set.Names = append(set.Names, name)
		}
	}
	if err == nil {
		_, err = v.Intake.SetGroups(v.ctx(), v.actor, set.Rev, set.Names)
	}
	if err != nil {
		return v.again("form", v.groupsPage(set), err)
	}
	return v.to(leadSettingsPath, v.good("leadset.saved"))
}
