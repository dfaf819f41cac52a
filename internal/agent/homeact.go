package agent

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"senim/internal/keystore"
	"senim/internal/lang"
)

// call answers one POST of the agent's page; every act answers with the page as it is then.
func (h *home) call(ctx context.Context, rw http.ResponseWriter, path string, body []byte) {
	var in struct {
		ID         string     `json:"id"`       // unlock, forget
		Password   string     `json:"password"` // unlock: only to see whose the key is
		Origin     string     `json:"origin"`   // site
		Permission Permission `json:"permission"`
		Folder     string     `json:"folder"` // folder
		Remove     bool       `json:"remove"`
		Act        Act        `json:"act"`  // act: one of ownActs
		Lang       string     `json:"lang"` // set
		Plain      *bool      `json:"plain"`
		Media      *bool      `json:"media"`
		Reminders  *bool      `json:"reminders"`
		Large      *bool      `json:"large"`
		Seen       bool       `json:"seen"` // which files were broken

		Record bool `json:"record"` // discard: of a key on a token only what is noted here

		Storage string `json:"storage"` // driver: of which tokens
		Path    string `json:"path"`    // driver: its file
		Sure    bool   `json:"sure"`    // driver: the person was told that it is a program

		Certificate []byte `json:"certificate"` // authority: the file of one, to look at
		Fingerprint string `json:"fingerprint"` // authority: the one looked at, to add; with remove: one to take away
		National    bool   `json:"national"`    // authority: fetch those of the national CA
	}
	if !read(rw, body, &in) {
		return
	}
	a, code, field := h.agent, "", ""
	var err error
	switch path {
	case "/look":
	case "/unlock":
		code = h.unlock(ctx, in.ID, in.Password)
		field = "password-" + in.ID
	case "/forget":
		if in.ID == "" {
			a.forgetListed()
			err = errors.Join(a.known.forgetAll(), a.recaller.forgetAll())
			break
		}
		err = errors.Join(a.known.forget(in.ID), a.recaller.forget(in.ID))
	case "/site":
		code, err = a.sitePermission(in.Origin, in.Permission)
	case "/folder":
		code, field = h.folder(in.Folder, in.Remove), "folder"
	case "/driver":
		if code, field = h.driver(in.Storage, in.Path, in.Sure, in.Remove); code == "" {
			h.chooser = nil
		}
	case "/files":
		if h.chooser = h.files(in.Folder); h.chooser == nil {
			code = "no_folder"
		}
	case "/set":
		if in.Seen {
			err = a.brokenSeen()
			break
		}
		err = h.set(in.Lang, in.Plain, in.Media, in.Reminders, in.Large)
	case "/discard":
		code, field = h.discard(in.ID, in.Password, in.Record)
	case "/authority":
		switch {
		case in.National:
			code = h.national(ctx)
		case in.Certificate != nil:
			code, field = h.offer(in.Certificate), "authority"
		default:
			code = h.authority(in.Fingerprint, in.Remove)
		}
	case "/act":
		if !slices.Contains(a.offered(), in.Act) {
			code = "bad_request"
			break
		}
		a.wishHome(homeWish{lang: h.lang, act: in.Act})
	case "/calendar":
		reply(rw, http.StatusOK, map[string]string{"name": "senim-keys.ics", "text": a.ics(a.known.all(a.keyFiles()), h.lang)})
		return
	case "/close":
		h.finish()
		reply(rw, http.StatusOK, struct{}{})
		return
	default:
		reply(rw, http.StatusNotFound, problem(&Problem{Code: "not_found", Text: "not found"}))
		return
	}
	if errors.Is(err, errIndexShut) {
		err, code = nil, "index_locked"
	}
	if err != nil {
		a.log.Error("the agent's page", "err", err)
		code = "not_written"
	}
	if code != "" {
		h.problem(rw, http.StatusUnprocessableEntity, code, field)
		return
	}
	reply(rw, http.StatusOK, struct {
		View HomeView `json:"view"`
	}{h.view()})
}

// unlock opens a key only to learn its certificate; the key itself is dropped at once. Called under mu.
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
		h.mu.Unlock() // the page can be closed meanwhile, and is told that it is not forgotten
		h.agent.ask(ctx, key.Certificate)
		h.mu.Lock()
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

// set changes what was given; an index that may not lie in a plain file any more is deleted at once.
func (h *home) set(language string, plain, media, reminders, large *bool) error {
	tag, known := lang.Parse(language)
	err := h.agent.settings.change(func(c *saved) {
		if known {
			c.Lang = string(tag)
		}
		if plain != nil {
			c.Plain = *plain
		}
		if media != nil {
			c.NoMedia = !*media
		}
		if reminders != nil {
			c.NoReminders = !*reminders
		}
		if large != nil {
			c.Large = *large
		}
	})
	if err != nil {
		return err
	}
	if known {
		h.lang = tag
	}
	if large != nil {
		h.agent.wishLarge()
	}
	if plain != nil {
		return h.agent.known.rewrite()
	}
	return nil
}
