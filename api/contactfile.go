package api

import (
	"context"
	"io"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"parley/account"
	"parley/crm/contact"
	"parley/crm/file"
	"parley/platform/db"
)

// ContactFile is something that was filed about a contact.
type ContactFile struct {
	ID   file.ID          `json:"id"`
	Name string           `json:"name"`
	Type string           `json:"type" doc:"The media type, found out from the content"`
	Size int64            `json:"size" doc:"Bytes"`
	By   account.MemberID `json:"by,omitempty"`
	At   *time.Time       `json:"at"`
}

func fileOf(org *account.Org, f *file.File) ContactFile {
	return ContactFile{ID: f.ID, Name: f.Name, Type: f.Type, Size: f.Size, By: f.By, At: at(org, f.At)}
}

// FilePath names a file about a contact.
type FilePath struct {
	ContactPath
	File file.ID `path:"file"`
}

// FileUpload says whom a file is about, and what it is called.
type FileUpload struct {
	ContactPath
	Name string `query:"name" maxLength:"500" doc:"Needed where the file is the body itself; of a form the file's own name counts where this is absent"`
}

// contactFiles are the operations on what is filed about contacts.
func (s *API) contactFiles() {
	handle(s, does(http.MethodGet, "/contacts/{contact}/files", "list-contact-files", account.ReadLeads, tagContacts, "Files about a contact").saying("The newest first; there are at most 200."), s.listFiles)
	add := does(http.MethodPost, "/contacts/{contact}/files", "add-contact-file", account.WriteLeads, tagContacts, "File something about a contact").
		saying("At most 10 MB, as the body or as the part `file` of a multipart form. What it is is found out from the content: PDF, pictures, texts and office documents are taken. Sound and film are not; recordings are kept with their calls. It is sealed under the contact's own key.").
		giving(http.StatusCreated)
	add.upload = true
	handle(s, add, s.addFile)
	get := does(http.MethodGet, "/contacts/{contact}/files/{file}", "get-contact-file", account.ReadLeads, tagContacts, "The content of a file about a contact")
	get.files = []string{"application/octet-stream"}
	handle(s, get, s.getFile)
	handle(s, does(http.MethodDelete, "/contacts/{contact}/files/{file}", "delete-contact-file", account.WriteLeads, tagContacts, "Delete a file about a contact").
		saying("Whoever filed it may, and whoever may delete leads. A legal hold keeps it.").giving(http.StatusNoContent),
		func(ctx context.Context, in *FilePath) (*struct{}, error) {
			return nil, s.withContact(ctx, in.Contact, func(tx *db.Tx, c *contact.Contact) error {
				a := actorOf(ctx)
				_, err := s.Files.Drop(ctx, tx, a.Org.ID, a.Member.ID, a.Can(account.DeleteLeads), c.ID, in.File)
				return err
			})
		})
	s.uploads("/contacts/{contact}/files")
}

func (s *API) listFiles(ctx context.Context, in *ContactPath) (*body[Page[ContactFile]], error) {
	c, err := s.theContact(ctx, in.Contact)
	if err != nil {
		return nil, err
	}
	all, err := s.Files.Of(ctx, s.DB, callerOf(ctx).org.ID, c.ID)
	out := Page[ContactFile]{Items: []ContactFile{}}
	for i := range all {
		out.Items = append(out.Items, fileOf(callerOf(ctx).org, &all[i]))
	}
	return answerOf(out), err
}

func (s *API) addFile(ctx context.Context, in *FileUpload) (*body[ContactFile], error) {
	c, err := s.theContact(ctx, in.Contact)
	if err != nil {
		return nil, err
	}
	u, err := s.receive(ctx, file.MaxSize)
	if err != nil {
		return nil, err
	}
	defer u.close()
	if in.Name != "" {
		u.name = in.Name
	}
	var f *file.File
	err = s.DB.Tx(ctx, func(tx *db.Tx) (err error) {
		f, err = s.Files.Add(ctx, tx, callerOf(ctx).org.ID, actorOf(ctx).Member.ID, file.NewFile{Contact: c.ID, Name: u.name, Content: u.file, Size: u.size})
		return err
	})
	if err != nil {
		return nil, err
	}
	return answerOf(fileOf(callerOf(ctx).org, f)), nil
}

func (s *API) getFile(ctx context.Context, in *FilePath) (*huma.StreamResponse, error) {
	org := callerOf(ctx).org.ID
	c, err := s.theContact(ctx, in.Contact)
	if err != nil {
		return nil, err
	}
	f, err := s.Files.Get(ctx, s.DB, org, c.ID, in.File)
	if err != nil {
		return nil, err
	}
	content, err := s.Files.Open(ctx, s.DB, org, f)
	if err != nil {
		return nil, err
	}
	return s.file(ctx, f.Type, f.Name, func(w io.Writer) error {
		_, err := io.Copy(w, content)
		return err
	}), nil
}
