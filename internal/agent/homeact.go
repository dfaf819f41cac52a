package agent

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"

	"senim/internal/keystore"
	"senim/internal/lang"
)

// homeCall is what the page may wish.
type homeCall struct {
	// personal: only somebody who wants the page makes it, beside looking at it and sending it away.
	personal bool
	do       func(ctx context.Context, h *home, body []byte) (answer any, err error)
}

// homeCalls are the calls of the agent's page by their paths. They may come at once.
var homeCalls = map[string]homeCall{
	"/look":      {false, viewed(func(context.Context, *home, struct{}) error { return nil })},
	"/unlock":    {true, viewed(unlockCall)},
	"/forget":    {true, viewed(forgetCall)},
	"/discard":   {true, viewed(discardCall)},
	"/site":      {true, viewed(siteCall)},
	"/folder":    {true, viewed(folderCall)},
	"/files":     {false, viewed(filesCall)},
	"/driver":    {true, viewed(driverCall)},
	"/authority": {true, viewed(authorityCall)},
	"/set":       {true, viewed(setCall)},
	"/act":       {true, viewed(actCall)},
	"/calendar":  {true, calendarCall},
	"/close": {false, func(_ context.Context, h *home, _ []byte) (any, error) {
		h.finish()
		return struct{}{}, nil
	}},
}

// wrong is what the person can put right: the code of the words, and the field it belongs to.
type wrong struct{ code, field string }

func (w wrong) Error() string { return w.code }

// at gives a code that belongs to a field; none is no error.
func at(field, code string) error {
	if code == "" {
		return nil
	}
	return wrong{code, field}
}

// errUnread is the answer to a body that is no call.
var errUnread = errors.New("not understood")

// viewed is a call with members of its own, which is answered with the page as it is then.
func viewed[T any](do func(ctx context.Context, h *home, in T) error) func(context.Context, *home, []byte) (any, error) {
	return func(ctx context.Context, h *home, body []byte) (any, error) {
		var in T
		if json.Unmarshal(body, &in) != nil {
			return nil, errUnread
		}
		if err := do(ctx, h, in); err != nil {
			return nil, err
		}
		return struct {
			View HomeView `json:"view"`
		}{h.view()}, nil
	}
}

// call answers one POST of the agent's page.
func (h *home) call(ctx context.Context, rw http.ResponseWriter, path string, body []byte) {
	c, known := homeCalls[path]
	if !known {
		reply(rw, http.StatusNotFound, problem(&Problem{Code: "not_found", Text: "not found"}))
		return
	}
	if c.personal && h.wisher != "" {
		h.agent.quiet.acted(h.wisher)
	}
	answer, err := c.do(ctx, h, body)
	w, isWrong := errors.AsType[wrong](err)
	switch {
	case err == nil:
		reply(rw, http.StatusOK, answer)
	case isWrong:
		h.problem(rw, http.StatusUnprocessableEntity, w.code, w.field)
	case errors.Is(err, errUnread):
		reply(rw, http.StatusBadRequest, problem(&Problem{Code: "bad_request", Text: errUnread.Error()}))
	case errors.Is(err, errIndexShut):
		h.problem(rw, http.StatusUnprocessableEntity, "index_locked", "")
	default:
		h.agent.log.Error("the agent's page", "err", err)
		h.problem(rw, http.StatusUnprocessableEntity, "not_written", "")
	}
}

// unlocks is the body of /unlock: the password only shows whose the key is.
type unlocks struct {
	ID       string `json:"id"`
	Password string `json:"password"`
}

func unlockCall(ctx context.Context, h *home, in unlocks) error {
	return at("password-"+in.ID, h.unlock(ctx, in.ID, in.Password))
}

// forgets is the body of /forget: without a key, all is forgotten.
type forgets struct {
	ID string `json:"id"`
}

func forgetCall(_ context.Context, h *home, in forgets) error {
	a := h.agent
	if in.ID == "" {
		a.forgetListed()
		return errors.Join(a.known.forgetAll(), a.recaller.forgetAll())
	}
	return errors.Join(a.known.forget(in.ID), a.recaller.forget(in.ID))
}

// discards is the body of /discard.
type discards struct {
	ID       string `json:"id"`
	Password string `json:"password"` // the PIN of the token it is on
	Record   bool   `json:"record"`   // of a key on a token only what is noted here
}

func discardCall(_ context.Context, h *home, in discards) error {
	code, field := h.discard(in.ID, in.Password, in.Record)
	return at(field, code)
}

// permits is the body of /site.
type permits struct {
	Origin     string     `json:"origin"`
	Permission Permission `json:"permission"`
}

func siteCall(_ context.Context, h *home, in permits) error {
	code, err := h.agent.sitePermission(in.Origin, in.Permission)
	return errors.Join(at("", code), err)
}

// watches is the body of /folder.
type watches struct {
	Folder string `json:"folder"`
	Remove bool   `json:"remove"`
}

func folderCall(_ context.Context, h *home, in watches) error {
	return at("folder", h.folder(in.Folder, in.Remove))
}

// lists is the body of /files.
type lists struct {
	Folder string `json:"folder"`
}

func filesCall(_ context.Context, h *home, in lists) error {
	list := h.files(in.Folder)
	h.choose(list)
	if list == nil {
		return at("", "no_folder")
	}
	return nil
}

// choose shows a folder in the chooser, or, with nil, no chooser.
func (h *home) choose(list *Listing) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.chooser = list
}

// drives is the body of /driver.
type drives struct {
	Storage string `json:"storage"` // of which tokens
	Path    string `json:"path"`    // its file
	Sure    bool   `json:"sure"`    // the person was told that it is a program
	Remove  bool   `json:"remove"`
}

func driverCall(_ context.Context, h *home, in drives) error {
	if code, field := h.driver(in.Storage, in.Path, in.Sure, in.Remove); code != "" {
		return at(field, code)
	}
	h.choose(nil)
	return nil
}

// trusts is the body of /authority.
type trusts struct {
	Certificate []byte `json:"certificate"` // the file of one, to look at
	Fingerprint string `json:"fingerprint"` // the one looked at, to add; with remove: one to take away
	Remove      bool   `json:"remove"`
	National    bool   `json:"national"` // fetch those of the national CA
}

func authorityCall(ctx context.Context, h *home, in trusts) error {
	switch {
	case in.National:
		return at("", h.national(ctx))
	case in.Certificate != nil:
		return at("authority", h.offer(in.Certificate))
	}
	return at("", h.authority(in.Fingerprint, in.Remove))
}

func actCall(_ context.Context, h *home, in struct {
	Act Act `json:"act"` // one of ownActs
}) error {
	if !slices.Contains(h.agent.offered(), in.Act) {
		return at("", "bad_request")
	}
	h.agent.wishHome(homeWish{lang: h.tag(), act: in.Act})
	return nil
}

func calendarCall(_ context.Context, h *home, _ []byte) (any, error) {
	a := h.agent
	return map[string]string{"name": "senim-keys.ics", "text": a.ics(a.known.all(a.keyFiles()), h.tag())}, nil
}

// unlock opens a key only to learn its certificate; the key itself is dropped at once.
func (h *home) unlock(ctx context.Context, id, password string) (code string) {
	files := h.agent.scanner.Scan(h.agent.looked()).Files
	for _, f := range files {
		if f.ID != id {
			continue
		}
		key, err := keystore.Unlock(f, password)
		switch {
		case errors.Is(err, keystore.ErrPassword):
			return passwordProblem(password)
		case err != nil:
			return "unreadable_key"
		}
		h.agent.learn(files, f, key)
		h.agent.ask(ctx, key.Certificate)
		return ""
	}
	return "no_such_key"
}

// discard gives up a key that waits. One on a token is deleted there, with the PIN; only the note of it when the person
// wishes that, as when the token is lost.
func (h *home) discard(id, pin string, record bool) (code, field string) {
	a := h.agent
	n, ok := a.keeper.Waits(id)
	var err error
	if !ok || !n.OnToken() || record {
		err = a.keeper.Discard(id)
	} else {
		seen := a.onTokens()
		at := slices.IndexFunc(seen.Tokens, func(t keystore.PluggedToken) bool {
			return keystore.SameStorage(t.Storage, n.Storage) && t.Label == n.Token && t.Serial == n.Serial
		})
		if at < 0 {
			return "token_unplugged", ""
		}
		token := seen.Tokens[at]
		token.Storage = n.Storage
		var place *keystore.Place
		place, err = token.Open(pin)
		if code, _ := pinProblem(err); code != "" {
			return code, "pin-" + id
		}
		if err == nil {
			err = errors.Join(a.keeper.DiscardOnToken(id, place), place.Close())
		}
		if errors.Is(err, keystore.ErrToken) {
			a.log.Warn("a key on a token was not given up", "err", err)
			return "token_failed", ""
		}
	}
	if err != nil {
		a.log.Warn("a key that waits was not given up", "err", err)
		return "not_written", ""
	}
	return "", ""
}

// sitePermission changes what a site may do, of those that can be remembered at all.
func (a *Agent) sitePermission(origin string, p Permission) (code string, err error) {
	switch p {
	case PermissionAsk, PermissionAllowed, PermissionBlocked:
	default:
		return "bad_request", nil
	}
	if !siteOfKey(origin).remembered() {
		if p != PermissionAsk {
			return "bad_request", nil
		}
		a.unpause(origin)
		return "", nil
	}
	return "", a.permit(origin, p)
}

func (h *home) folder(text string, remove bool) (code string) {
	if remove {
		if h.agent.unwatch(text) != nil {
			return "not_written"
		}
		return ""
	}
	folder, ok := typedFolder(text)
	if !ok {
		return "no_folder"
	}
	h.agent.watch(folder)
	return ""
}

// sets is the body of /set: what is absent stays.
type sets struct {
	Lang      string `json:"lang"`
	Plain     *bool  `json:"plain"`
	Media     *bool  `json:"media"`
	Reminders *bool  `json:"reminders"`
	Large     *bool  `json:"large"`
	Seen      bool   `json:"seen"` // which files were broken, and nothing else
}

// setCall changes what was given; an index that may not lie in a plain file any more is deleted at once.
func setCall(_ context.Context, h *home, in sets) error {
	a := h.agent
	if in.Seen {
		return a.brokenSeen()
	}
	tag, known := lang.Parse(in.Lang)
	err := a.settings.change(func(c *saved) {
		if known {
			c.Lang = string(tag)
		}
		if in.Plain != nil {
			c.Plain = *in.Plain
		}
		if in.Media != nil {
			c.NoMedia = !*in.Media
		}
		if in.Reminders != nil {
			c.NoReminders = !*in.Reminders
		}
		if in.Large != nil {
			c.Large = *in.Large
		}
	})
	if err != nil {
		return err
	}
	if known {
		h.mu.Lock()
		h.lang = tag
		h.mu.Unlock()
	}
	if in.Large != nil {
		a.wishLarge()
	}
	if in.Plain != nil {
		return a.known.rewrite()
	}
	return nil
}
