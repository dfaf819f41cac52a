package web

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"senim/internal/auth"
	"senim/internal/lang"
	"senim/internal/mgov"
	"senim/internal/qr"
)

const (
	// phonePath is where the pages of signing on a phone stand.
	phonePath = "/phone"
	// offerField brings what a page offers to have signed on a phone.
	offerField = "phone-offer"
	// maxFields bounds the other fields of a form that waits for a phone.
	maxFields = 16 << 10
	// phoneField names the request whose answer a form goes on with.
	phoneField = "phone-request"
)

// offer is what a page offers to have signed on a phone: what its form asks the agent, and how the form
// goes on. It travels through the browser under a seal of the session.
type offer struct {
	Purpose, Digest           string // of a challenge
	XML                       string // else a document
	IIN, BIN                  string
	Action, Field, Back, What string
}

// onPhone notes in a call what a phone would be asked. A key that is named by its serial number is not on a phone.
func (c AgentCall) onPhone(s Signer, o offer) AgentCall {
	if s.Serial == "" {
		o.IIN, o.BIN = s.IIN, s.BIN
		c.phone = &o
	}
	return c
}

// phoneOffer is the sealed offer of a form, or "" where there is none.
func (r *Request) phoneOffer(a Agent) string {
	if r.shell.c.Phone == nil || a.Call.phone == nil {
		return ""
	}
	o := *a.Call.phone
	o.Action, o.Field, o.Back, o.What = a.Action, a.field(), r.URL.Path, a.Button
	if r.Method == http.MethodGet {
		o.Back = r.URL.RequestURI()
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false) // documents are full of what HTML escapes
	if err := e.Encode(o); err != nil {
		return "" // only strings are put in: cannot happen
	}
	return r.shell.c.Phone.Seal(r.sid, b.String())
}

// phoneAsked makes a request of what a page offered and shows its code.
func (s *Shell) phoneAsked(_ http.ResponseWriter, r *Request) error {
	text, ok := s.c.Phone.Unseal(r.sid, r.PostFormValue(offerField))
	var o offer
	if !ok || json.Unmarshal([]byte(text), &o) != nil {
		return Refusal{Code: auth.CodeStale, Next: []Link{{Text: "web.next.start", Href: "/"}}}
	}
	fields, size := map[string][]string{}, 0
	for name, values := range r.PostForm {
		if name != offerField && name != phoneField && name != o.Field {
			fields[name] = values
			size += len(name) + len(strings.Join(values, ""))
		}
	}
	if size > maxFields {
		return Refusal{Code: "TOO_LARGE", Status: http.StatusRequestEntityTooLarge}
	}
	a := qr.Ask{Purpose: o.Purpose, Digest: o.Digest, What: o.What, IIN: o.IIN, BIN: o.BIN, Action: o.Action, Field: o.Field, Back: o.Back, Fields: fields}
	if o.Purpose == "" {
		a.Items = []qr.Item{{Method: mgov.XML, Content: []byte(o.XML)}}
	}
	return r.showCode(a)
}

// showCode makes a request, with a challenge of its own where one is signed, and goes to its page.
func (r *Request) showCode(a qr.Ask) error {
	sid, err := r.Begin()
	if err != nil {
		return err
	}
	if a.Purpose != "" {
		c, err := r.Ask(a.Purpose, a.Digest)
		if err != nil {
			return err
		}
		a.Items, a.Until = []qr.Item{{Method: mgov.CMSSignOnly, Mime: "@file/txt", Content: []byte(c.Text())}}, c.Expires
	}
	handle, err := r.shell.c.Phone.Make(r.Context(), sid, a)
	if err != nil {
		return err
	}
	return r.Redirect(phonePath + "/" + handle)
}

// elsewhere is an error that sends the browser to another page.
type elsewhere string

func (e elsewhere) Error() string { return "go to " + string(e) }

// phoneAnswer puts what a phone signed where the signing agent's answer would be, with the other fields
// of the form, so that its handler goes on without knowing the difference.
func (r *Request) phoneAnswer() error {
	handle := r.PostForm.Get(phoneField)
	if r.shell.c.Phone == nil || r.Method != http.MethodPost || handle == "" || strings.HasPrefix(r.URL.Path, phonePath+"/") {
		return nil
	}
	q, err := r.shell.c.Phone.Take(r.Context(), r.sid, handle, r.URL.RequestURI())
	if qr.IsNotFound(err) {
		return Refusal{Code: auth.CodeStale, Next: []Link{{Text: "web.next.start", Href: "/"}}}
	}
	if refused, ok := errors.AsType[*auth.Refusal](err); ok {
		if refused.Code == qr.CodeWaiting {
			return elsewhere(phonePath + "/" + url.PathEscape(handle) + "?yet=no")
		}
		return RefusalOf(err, q.Ask.Back)
	}
	if err != nil {
		return err
	}
	answer, err := json.Marshal(q.Answer)
	if err != nil {
		return err
	}
	for name, values := range q.Ask.Fields {
		r.PostForm[name], r.Form[name] = values, values
	}
	r.PostForm.Set(q.Ask.Field, string(answer))
	r.Form.Set(q.Ask.Field, string(answer))
	return nil
}

// phoneRoutes are the pages and the addresses for phones.
func (s *Shell) phoneRoutes(mux *http.ServeMux) {
	if s.c.Phone == nil {
		return
	}
	s.Handle(mux, "POST "+phonePath, s.phoneAsked)
	s.Handle(mux, "GET "+phonePath+"/{handle}", s.phonePage)
	s.Handle(mux, "GET "+phonePath+"/{handle}/code.svg", s.phoneCode)
	s.Handle(mux, "GET "+phonePath+"/{handle}/events", s.phoneEvents)
	s.Handle(mux, "POST "+phonePath+"/{handle}/again", s.phoneAgain)
	s.Handle(mux, "POST "+phonePath+"/{handle}/cancel", s.phoneCancelled)
	const api1, api2 = "/" + mgov.Path + "/1/{id}", "/" + mgov.Path + "/2/{id}"
	s.phone(mux, "GET "+api1, func(_ http.ResponseWriter, r *http.Request, l lang.Tag) (any, error) {
		return s.c.Phone.Invitation(r.Context(), r.PathValue("id"), l)
	})
	s.phone(mux, "GET "+api2, func(_ http.ResponseWriter, r *http.Request, l lang.Tag) (any, error) {
		return s.c.Phone.Package(r.Context(), r.PathValue("id"), bearer(r), l)
	})
	s.phone(mux, "POST "+api2, s.phoneEds)
	s.phone(mux, "PUT "+api2, s.phonePut)
}
