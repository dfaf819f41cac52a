package agent

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"senim/internal/keystore"
	"senim/pfx"
	"senim/pki"
)

// changing is the consent to change the password of a key file. The file with the old password stays
// beside, unless the person has it removed once the new one was opened.
type changing struct{}

func (*changing) kind() string { return "password" }
func (*changing) wish() wish   { return wish{files: true, allowExpired: true, allowRevoked: true} }

func (*changing) show(w *window, v *View) {
	allFiles(w, v)
	v.Confirm = w.lang.Text("agent.ui.remove-old")
}

// allFiles lists every key file: what it may sign does not matter here.
func allFiles(w *window, v *View) {
	keys := map[string]int{} // in each file
	for _, f := range w.files {
		keys[f.Path]++
	}
	for _, f := range w.files {
		if f.Certificate() != nil || keys[f.Path] == 0 {
			continue // of a token, or a further key of a store that stands there already
		}
		r := w.row(f)
		if f.Flaw == "" {
			r.Fits, r.Reasons = true, nil
		}
		if n := keys[f.Path]; n > 1 {
			r.File, r.Card = filepath.Base(f.Path), nil
			r.Remarks = []Remark{{"several", "info", w.lang.Text("agent.reason.several", "n", n)}}
		}
		keys[f.Path] = 0
		v.Keys = append(v.Keys, r)
	}
	if len(v.Keys) == 1 && v.Keys[0].Fits {
		v.Preselect = v.Keys[0].ID
	}
}

func (*changing) decide(_ context.Context, w *window, d Decision) (outcome, *Problem) {
	f, ok := w.file(d.Key)
	if !ok || f.Certificate() != nil {
		return outcome{}, &Problem{Code: "no_such_key"}
	}
	if d.NewPassword != d.NewPassword2 {
		return outcome{}, &Problem{Code: "passwords_differ", Field: "new-password-2"}
	}
	known := map[string]*pki.Certificate{} // by the name in a store
	for _, other := range w.files {
		if other.Path == f.Path {
			known[other.Entry] = w.agent.known.find(other.ID)
		}
	}
	err := keystore.ChangePassword(f.Path, d.Password, d.NewPassword)
	switch {
	case errors.Is(err, keystore.ErrPassword):
		return outcome{}, &Problem{Code: passwordProblem(d.Password), Field: "password"}
	case errors.Is(err, keystore.ErrSamePassword):
		return outcome{}, &Problem{Code: "same_password", Field: "new-password"}
	case errors.Is(err, pfx.ErrPasswordLength), errors.Is(err, pfx.ErrPasswordCharset), errors.Is(err, pfx.ErrPasswordClasses), errors.Is(err, pfx.ErrPasswordDefault):
		return outcome{}, &Problem{Code: passwordCode(err), Field: "new-password"}
	case errors.Is(err, keystore.ErrSeveralPasswords):
		return outcome{}, &Problem{Code: "several_passwords"}
	case errors.Is(err, fs.ErrExist):
		return outcome{}, &Problem{Code: "old_file_exists"}
	case err != nil:
		return outcome{}, &Problem{Code: "not_changed"}
	}
	for _, other := range w.files {
		if other.Path == f.Path {
			w.agent.forget(other.ID)
		}
	}
	for _, after := range keystore.Scan([]string{f.Path}) {
		if cert := known[after.Entry]; cert != nil {
			w.agent.known.learn(after, cert)
		}
	}
	if d.Confirm {
		if err := os.Remove(keystore.OldName(f.Path)); err != nil {
			return outcome{err: errors.New(w.lang.Text("agent.problem.old_not_removed"))}, nil
		}
	}
	return outcome{done: true, result: true}, nil
}

// sameFolder tells whether two paths name one folder, also by another case of the letters or by a link.
func sameFolder(one, other string) bool {
	if one == other {
		return true
	}
	first, err := os.Stat(one)
	if err != nil {
		return false
	}
	second, err := os.Stat(other)
	return err == nil && os.SameFile(first, second)
}

// backingUp is the consent to copy a key file into a folder.
type backingUp struct{}

func (*backingUp) kind() string { return "backup" }
func (*backingUp) wish() wish   { return wish{files: true, allowExpired: true, allowRevoked: true} }

func (*backingUp) show(w *window, v *View) {
	allFiles(w, v)
	v.Folders = w.agent.watched()
}

func (*backingUp) decide(_ context.Context, w *window, d Decision) (outcome, *Problem) {
	f, ok := w.file(d.Key)
	if !ok || f.Certificate() != nil {
		return outcome{}, &Problem{Code: "no_such_key"}
	}
	folder := filepath.Clean(strings.TrimSpace(d.Folder))
	if sameFolder(folder, f.Folder()) {
		return outcome{}, &Problem{Code: "same_folder", Field: "folder"}
	}
	_, err := keystore.Backup(f.Path, folder, d.Password)
	failure, refused := errors.AsType[*keystore.Failure](err)
	switch {
	case errors.Is(err, keystore.ErrPassword):
		return outcome{}, &Problem{Code: passwordProblem(d.Password), Field: "password"}
	case refused && failure.Reason == "folder_unavailable":
		return outcome{}, &Problem{Code: "no_folder", Field: "folder"}
	case errors.Is(err, fs.ErrExist):
		return outcome{}, &Problem{Code: "copy_exists", Field: "folder"}
	case err != nil:
		return outcome{}, &Problem{Code: "not_copied", Field: "folder"}
	}
	return outcome{done: true, result: true}, nil
}
