package audit

// Action says what was done: a noun and a verb. All are listed here, and have a title on the pages.
type Action string

// Looking at people's data.
const (
	CallsListed    Action = "calls.listed"
	CallOpened     Action = "call.opened"
	NumberOpened   Action = "number.opened"
	MissedListed   Action = "missed.listed"
	PeopleListed   Action = "people.listed"
	PersonOpened   Action = "person.opened"
	ReportOpened   Action = "report.opened"
	SearchMade     Action = "search.made"
	DevicesOpened  Action = "devices.opened"
	ImportsOpened  Action = "imports.opened"
	SettingsOpened Action = "settings.opened"
	PrivacyOpened  Action = "privacy.opened"
	PageOpened     Action = "page.opened"
	RecordPlayed   Action = "recording.played"
	ExportMade     Action = "export.made"
	LogOpened      Action = "audit.opened"
	ArchiveOpened  Action = "archive.opened"
	AffectedListed Action = "incident.people_listed"
	ContactsListed Action = "contacts.listed"
	ContactOpened  Action = "contact.opened"
	LeadsListed    Action = "leads.listed"
	LeadOpened     Action = "lead.opened"
)

// Changes.
const (
	CallChanged      Action = "call.changed"
	CallDeleted      Action = "call.deleted"
	CallbackChanged  Action = "callback.changed"
	FollowUpChanged  Action = "follow_up.changed"
	FollowUpsHanded  Action = "follow_up.handed_over"
	FeedChanged      Action = "calendar.changed"
	ContactChanged   Action = "contact.changed"
	ContactDeleted   Action = "contact.deleted"
	LeadChanged      Action = "lead.changed"
	LeadsChanged     Action = "leads.changed"
	LeadDeleted      Action = "lead.deleted"
	PipelineChanged  Action = "pipeline.changed"
	MemberChanged    Action = "member.changed"
	RoleChanged      Action = "role.changed"
	TeamChanged      Action = "team.changed"
	LineChanged      Action = "line.changed"
	DeviceChanged    Action = "device.changed"
	ExclusionChanged Action = "exclusion.changed"
	SettingsChanged  Action = "settings.changed"
	TokenChanged     Action = "token.changed"
	ImportChanged    Action = "import.changed"
	AccountChanged   Action = "account.changed"
	OrgChanged       Action = "organisation.changed"
	Changed          Action = "page.changed"
	SignedIn         Action = "sign_in"
	SignedOut        Action = "sign_out"
	SignInFailed     Action = "sign_in.failed"
	ResetAsked       Action = "password.reset_asked"
	ResetDone        Action = "password.reset"
	SessionEnded     Action = "session.ended"
	CommandRun       Action = "command.run"
	PolicyChanged    Action = "policy.changed"
	ConsentGiven     Action = "consent.given"
	ConsentWithdrawn Action = "consent.withdrawn"
	KeyChanged       Action = "key.changed"
	KeyDestroyed     Action = "key.destroyed"
	PersonErased     Action = "person.erased"
	RequestChanged   Action = "request.changed"
	HoldChanged      Action = "hold.changed"
	RetentionApplied Action = "retention.applied"
	IncidentChanged  Action = "incident.changed"
	BackupMade       Action = "backup.made"
	BackupTried      Action = "backup.tried"
	BackupRestored   Action = "backup.restored"
	LogForgotten     Action = "audit.forgotten"
	Cosigned         Action = "audit.cosigned"
)

// What the privacy policy has done.
const (
	PolicyProved       Action = "policy.proved"
	NoticeGiven        Action = "consent.noticed"
	DisclosureUsed     Action = "consent.used"
	MinorChanged       Action = "consent.minor"
	HoldRefused        Action = "hold.refused"
	RetentionPlanned   Action = "retention.planned"
	RetentionConfirmed Action = "retention.confirmed"
	ArchiveReturned    Action = "archive.returned"
	ArchiveErased      Action = "archive.erased"
	ReviewOpened       Action = "archive.review_opened"
	ReviewDecided      Action = "archive.review_decided"
	LegalChanged       Action = "legal_request.changed"
	LegalDecided       Action = "legal_request.decided"
	LegalDisclosed     Action = "legal_request.disclosed"
	TransferChanged    Action = "transfer.changed"
	TransferExported   Action = "transfer.exported"
	OrgClosed          Action = "organisation.closed"
	FollowUpEscalated  Action = "follow_up.escalated"
	AttestChanged      Action = "attestation.changed"
	AttestSigned       Action = "attestation.signed"
)

// Accesses are the actions by which somebody sees or takes data of people.
func Accesses() []Action {
	return []Action{CallsListed, CallOpened, NumberOpened, MissedListed, PeopleListed, PersonOpened, ReportOpened, SearchMade, DevicesOpened,
		ImportsOpened, SettingsOpened, PrivacyOpened, PageOpened, RecordPlayed, ExportMade, LogOpened, ArchiveOpened, AffectedListed, ContactsListed, ContactOpened, LeadsListed, LeadOpened}
}

// Actions are all that are listed here, accesses first.
func Actions() []Action {
	return append(Accesses(), CallChanged, CallDeleted, CallbackChanged, MemberChanged, RoleChanged, TeamChanged, LineChanged, DeviceChanged,
		ExclusionChanged, SettingsChanged, TokenChanged, ImportChanged, AccountChanged, OrgChanged, Changed, SignedIn, SignedOut, SignInFailed, ResetAsked, ResetDone, SessionEnded, CommandRun,
		PolicyChanged, ConsentGiven, ConsentWithdrawn, KeyChanged, KeyDestroyed, PersonErased, RequestChanged, HoldChanged, RetentionApplied,
		IncidentChanged, BackupMade, BackupTried, BackupRestored, LogForgotten, Cosigned, PolicyProved, NoticeGiven,
		DisclosureUsed, MinorChanged, HoldRefused, RetentionPlanned, RetentionConfirmed, ArchiveReturned, ArchiveErased, ReviewOpened, ReviewDecided,
		LegalChanged, LegalDecided, LegalDisclosed, TransferChanged, TransferExported, OrgClosed, AttestChanged,
		AttestSigned, FollowUpChanged, FollowUpsHanded, FeedChanged, FollowUpEscalated, ContactChanged, ContactDeleted, LeadChanged, LeadsChanged, LeadDeleted, PipelineChanged)
}
