package main

import (
	"bufio"
	"context"
	"io"
	"strings"
	"testing"

	"senim/internal/robot"
)

// TestExample runs the program against a whole server and agent in processes of their own, and signs in
// by both levels.
func TestExample(t *testing.T) {
	t.Parallel()
	bin, err := robot.Programs()
	if err != nil {
		t.Fatal(err)
	}
	sys, err := robot.Start(t.Context(), robot.Config{Bin: bin, Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := sys.Stop(); err != nil {
			t.Error(err)
		}
	})
	ctx, stop := context.WithCancel(t.Context())
	out, in := io.Pipe()
	ended := make(chan error, 1)
	go func() { ended <- run(ctx, []string{"-issuer", sys.Portal, "-listen", "127.0.0.1:0"}, in) }()
	defer func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}()
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	own := strings.TrimSpace(strings.TrimPrefix(line, "open "))

	head := sys.Person("old-head")
	w := &walk{t: t, sys: sys, b: robot.NewBrowser("ru")}
	key := robot.Choice{Key: head.Keys["company-X"], Password: head.Password}
	w.open(own+"/login").says("Сервис-пример").follow("/login").use("/login", key).send("/login/password", "password", head.PortalPassword)
	w.says("Разрешить сервису").send("/oidc/request/")
	answer := *w
	w.follow("/callback").says("urn:senim:acr:account").says(head.IIN).says("ADMIN_ENTERPRISE")

	// The same answer once more, and an answer to no question of this browser, are nothing.
	answer.follow("/callback").says("no question of this browser")
	stranger := &walk{t: t, sys: sys, b: robot.NewBrowser("ru")}
	stranger.open(own + "/callback?state=invented&code=x").says("no question of this browser")
	stranger.open(own + "/").says("Войти по ЭЦП")

	person := sys.Person("person")
	w = &walk{t: t, sys: sys, b: robot.NewBrowser("ru")}
	w.open(own+"/login?level=certificate").use("/oidc/request/", robot.Choice{Key: person.Keys["personal"], Password: person.Password})
	w.says("Разрешить сервису").send("/oidc/request/").follow("/callback").says("urn:senim:acr:certificate").says(person.IIN)
}

// walk is one person with a browser; the test ends at the first page that is another than it should be.
type walk struct {
	t   *testing.T
	sys *robot.System
	b   *robot.Browser
	p   *robot.Page
}

func (w *walk) to(p *robot.Page, err error) *walk {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
	w.p = p
	return w
}

func (w *walk) open(address string) *walk {
	w.t.Helper()
	return w.to(w.b.Open(w.t.Context(), address))
}

func (w *walk) follow(pattern string) *walk {
	w.t.Helper()
	return w.to(w.p.Follow(w.t.Context(), pattern))
}

func (w *walk) use(part string, c robot.Choice) *walk {
	w.t.Helper()
	return w.to(w.sys.Use(w.t.Context(), w.p, part, c, nil))
}

func (w *walk) send(part string, fields ...string) *walk {
	w.t.Helper()
	f, err := w.p.Form(part)
	if err != nil {
		w.t.Fatal(err)
	}
	for i := 0; i+1 < len(fields); i += 2 {
		f.Set(fields[i], fields[i+1])
	}
	return w.to(f.Submit(w.t.Context()))
}

func (w *walk) says(words string) *walk {
	w.t.Helper()
	if !w.p.Has(words) {
		w.t.Fatalf("%s does not say %q:\n%s", w.p.URL.Path, words, w.p.Text())
	}
	return w
}
