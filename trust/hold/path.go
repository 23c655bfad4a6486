package hold

// Path names a way by which data about people can be deleted. Each asks Check before it deletes.
type Path string

// The ways. A new one is added here, with its sentence in Paths.
const (
	CallDelete    Path = "call.delete"
	NoteClear     Path = "call.note"
	ImportUndo    Path = "import.undo"
	AccountDelete Path = "account.delete"
	OrgClose      Path = "org.close"
	RightsErase   Path = "rights.erase"
	RetainApply   Path = "retain.apply"
	ArchiveExpire Path = "archive.expire"
	ContactDelete Path = "contact.delete"
	LeadDelete    Path = "lead.delete"
	AttestDrop    Path = "attest.drop"
)

// PathInfo is a Path with what it does.
type PathInfo struct {
	Path Path
	What string // completes "A hold stops …"
}

// Paths lists every way by which data about people can be deleted.
func Paths() []PathInfo {
	return []PathInfo{
		{CallDelete, "deleting calls"},
		{NoteClear, "removing or replacing a call's note"},
		{ImportUndo, "undoing an import, which deletes the calls it brought"},
		{AccountDelete, "a member deleting their own account"},
		{OrgClose, "closing an organisation and everything in it"},
		{RightsErase, "erasing a person on their request"},
		{RetainApply, "deleting what is past its retention period"},
		{ArchiveExpire, "deleting what is past its time in the archive"},
		{ContactDelete, "deleting contacts, or notes and files about them"},
		{LeadDelete, "deleting leads, with their history"},
		{AttestDrop, "taking an audit, a training or a scan off the list"},
	}
}

func (p Path) what() string {
	for _, i := range Paths() {
		if i.Path == p {
			return i.What
		}
	}
	return ""
}
