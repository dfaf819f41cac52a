package main

import (
	"context"
	"errors"
	"html"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"senim/internal/agent"
	"senim/internal/keystore"
	"senim/internal/lang"
	"senim/internal/setup"
)

// noticeIn gives a way to put a finding before a person who has no terminal: a page in a file of the
// data folder, which asks nothing, runs nothing and needs no server. hide takes the file away; else the agent does, when it
// starts.
func noticeIn(ctx context.Context, data, browser string, t lang.Tag) func(f setup.Finding) (hide func()) {
	nothing := func() {}
	return func(f setup.Finding) func() {
		if browser == "none" {
			return nothing
		}
		path, err := filepath.Abs(filepath.Join(data, setup.NoticeFile))
		if err != nil || errors.Join(keystore.MakeFolder(data), keystore.Replace(path, noticePage(t, f))) != nil {
			return nothing // it was said on the terminal, too
		}
		address := filepath.ToSlash(path)
		if !strings.HasPrefix(address, "/") { // C:/…
			address = "/" + address
		}
		_ = agent.ShowFile(ctx, agent.Ways(browser, data), (&url.URL{Scheme: "file", Path: address}).String()) // so, too
		return func() { hideNotice(data) }
	}
}

// hideNotice takes the page away.
func hideNotice(data string) { _ = os.Remove(filepath.Join(data, setup.NoticeFile)) }

// noticePage says what was found and what helps.
func noticePage(t lang.Tag, f setup.Finding) []byte {
	var b strings.Builder
	b.WriteString(`<!doctype html><html lang="` + string(t) + `"><meta charset="utf-8"><meta name="viewport" content="width=device-width">` +
		`<meta name="color-scheme" content="light dark"><meta http-equiv="Content-Security-Policy" content="default-src 'none'">`)
	for _, part := range []struct{ tag, text string }{
		{"title", t.Text("setup.notice.title")}, {"h1", t.Text("setup.notice.title")}, {"p", f.Found(t)},
		{"h2", t.Text("setup.notice.do")}, {"p", f.Do(t)}, {"p", t.Text("setup.notice.close")},
	} {
		b.WriteString("<" + part.tag + ">" + html.EscapeString(part.text) + "</" + part.tag + ">\n")
	}
	b.WriteString("</html>\n")
	return []byte(b.String())
}
