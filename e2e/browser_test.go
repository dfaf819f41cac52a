package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"senim/internal/headless"
	"senim/internal/robot"
)

// actTime bounds one act of a person on a page: a click, a word typed, a page that comes.
const actTime = time.Minute

// chromium finds the system's browser, or skips.
func chromium(t *testing.T) string {
	t.Helper()
	path, err := headless.Path()
	if err != nil {
		t.Skip(err.Error() + ": the browser tests did not run")
	}
	return path
}

// theBrowser is one for all tests; each tab has its own cookies.
var theBrowser struct {
	once sync.Once
	ctx  context.Context //nolint:containedctx // of the process that all tests share
	stop func()
	err  error
}

// TestMain ends the browser and the system that the tests share.
func TestMain(m *testing.M) {
	code := m.Run()
	if theBrowser.stop != nil {
		theBrowser.stop()
	}
	if err := endShared(); err != nil {
		fmt.Fprintln(os.Stderr, "stop the shared system:", err)
		code = max(code, 1)
	}
	os.Exit(code)
}

// browser gives the headless browser, which starts with an empty profile.
func browser(t *testing.T) context.Context {
	t.Helper()
	path := chromium(t)
	theBrowser.once.Do(func() { theBrowser.ctx, theBrowser.stop, theBrowser.err = startBrowser(path) })
	if theBrowser.err != nil {
		t.Fatalf("start the browser: %v", theBrowser.err)
	}
	return theBrowser.ctx
}

func startBrowser(path string) (context.Context, func(), error) {
	profile, err := os.MkdirTemp("", "senim-e2e-")
	if err != nil {
		return nil, nil, err
	}
	opts := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]), chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.WindowSize(1100, 1400), chromedp.UserDataDir(profile),
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-sync", true), chromedp.Flag("disable-dev-shm-usage", true))
	alloc, end := chromedp.NewExecAllocator(context.Background(), opts...)
	ctx, cancel := chromedp.NewContext(alloc)
	stop := func() {
		cancel()
		end()
		_ = os.RemoveAll(profile) // the browser may still be writing
	}
	if err := chromedp.Do(ctx); err != nil {
		stop()
		return nil, nil, err
	}
	return ctx, stop, nil
}

// tab is one tab of the browser and the person who looks at it.
type tab struct {
	t       *testing.T
	browser context.Context
	ctx     context.Context
	close   func()
	sys     *robot.System
	lang    string
	// keys: the person has no mouse; every act is by the keyboard.
	keys bool
	// turned ends the turn of the last ask; see turn.
	turned func()
}

// newTab opens a tab with its own cookies, as another person's browser would have.
func newTab(t *testing.T, b context.Context, sys *robot.System, lang string) *tab {
	t.Helper()
	ctx, cancel := chromedp.NewContext(b, chromedp.WithNewBrowserContext())
	t.Cleanup(cancel)
	w := &tab{t: t, browser: b, ctx: ctx, close: cancel, sys: sys, lang: lang}
	if err := chromedp.Do(ctx); err != nil { // the first call has no limit: the tab lives as long as its context
		t.Fatalf("open a tab: %v", err)
	}
	if _, err := chromedp.Call(ctx, network.SetExtraHTTPHeaders, network.SetExtraHTTPHeadersParams{Headers: network.Headers{"Accept-Language": lang}}); err != nil {
		t.Fatalf("speak %s: %v", lang, err)
	}
	return w
}

// act runs browser actions under a time limit; on failure the page as it stood is kept.
func (w *tab) act(what string, actions ...chromedp.Action[chromedp.Void]) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.ctx, actTime)
	defer cancel()
	if err := chromedp.Do(ctx, actions...); err != nil {
		w.fail(what, err)
	}
}

func (w *tab) fail(what string, err error) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.ctx, 5*time.Second)
	defer cancel()
	url, _ := chromedp.Run(ctx, chromedp.Location())
	text, _ := chromedp.Run(ctx, chromedp.Text(chromedp.CSS("body")))
	w.shot("failed")
	w.t.Fatalf("%s: %v\nat %s:\n%s", what, err, url, text)
}

// read runs one action that gives a value.
func read[T any](w *tab, what string, a chromedp.Action[T]) T {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.ctx, actTime)
	defer cancel()
	v, err := chromedp.Run(ctx, a)
	if err != nil {
		w.fail(what, err)
	}
	return v
}

// empty clears a field as a person does before typing.
func empty(sel string) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Run(ctx, chromedp.Evaluate[bool](script(`document.querySelector(%s).value = "", true`, sel)))
		return err
	})
}

func css(format string, args ...any) chromedp.CSS { return chromedp.CSS(fmt.Sprintf(format, args...)) }

func (w *tab) open(url string) *tab {
	w.t.Helper()
	w.act("open "+url, chromedp.Navigate(url), chromedp.WaitReady(css("h1")))
	return w
}

// fill types into a field by its name.
func (w *tab) fill(name, value string) *tab {
	w.t.Helper()
	sel := css("main [name=%q]", name)
	if w.keys {
		w.tabTo(string(sel)).write(value)
		return w
	}
	w.act("fill "+name, empty(string(sel)), chromedp.SendKeys(sel, value))
	return w
}

// tick marks a checkbox or a radio button by name and value.
func (w *tab) tick(name, value string) *tab {
	w.t.Helper()
	sel := css("main input[name=%q][value=%q]", name, value)
	switch {
	case w.keys && w.asks(string(sel)+"[type=checkbox]"):
		w.tabTo(string(sel)).act("tick "+name, chromedp.KeyEvent(" "))
		return w
	case w.keys:
		w.tabTo(string(css("main input[name=%q]", name))).choose(string(sel))
		return w
	}
	w.act("tick "+name, chromedp.Click(sel))
	return w
}

// press clicks and waits for the page that follows.
func (w *tab) press(sel chromedp.CSS) *tab {
	w.t.Helper()
	if w.keys {
		return w.tabTo(string(sel)).key(kb.Enter)
	}
	ctx, cancel := context.WithTimeout(w.ctx, actTime)
	defer cancel()
	if _, err := chromedp.RunResponse(ctx, chromedp.Click(sel)); err != nil {
		w.fail("press "+string(sel), err)
	}
	return w
}

// submit presses the button of the form whose action contains part.
func (w *tab) submit(part string) *tab {
	w.t.Helper()
	return w.press(css("main form[action*=%q] button[type=submit]", part))
}

// follow clicks the link whose address contains part.
func (w *tab) follow(part string) *tab {
	w.t.Helper()
	return w.press(css("main a[href*=%q]", part))
}

// text is what the reader sees in the main part of the page.
func (w *tab) text() string {
	w.t.Helper()
	return strings.Join(strings.Fields(read(w, "read the page", chromedp.Text(css("main")))), " ")
}

// sees fails unless the page shows the words.
func (w *tab) sees(words ...string) *tab {
	w.t.Helper()
	got := w.text()
	for _, one := range words {
		if !strings.Contains(got, one) {
			w.shot("missing")
			w.t.Fatalf("the page does not say %q:\n%s", one, got)
		}
	}
	return w
}

// refused fails unless the page refuses with this code, alone or among others.
func (w *tab) refused(code string) *tab {
	w.t.Helper()
	got := read(w, "read the refusal", chromedp.Evaluate[[]string](`[...document.querySelectorAll("main [data-code]")].map((e) => e.dataset.code)`))
	if !slices.Contains(got, code) {
		w.shot("refused")
		w.t.Fatalf("refused with %q, want %q:\n%s", got, code, w.text())
	}
	return w
}

// shot keeps a picture of the page in SENIM_SHOTS, when that is set.
func (w *tab) shot(name string) {
	dir := os.Getenv("SENIM_SHOTS")
	if dir == "" {
		return
	}
	ctx, cancel := context.WithTimeout(w.ctx, actTime)
	defer cancel()
	png, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
	if err == nil {
		_ = os.MkdirAll(dir, 0o755)
		err = os.WriteFile(filepath.Join(dir, strings.ReplaceAll(w.t.Name(), "/", "_")+"-"+name+"-"+w.lang+".png"), png, 0o644)
	}
	if err != nil {
		w.t.Logf("picture %s: %v", name, err)
	}
}

// script puts values into a piece of JavaScript as JSON.
func script(js string, values ...any) string {
	for i, v := range values {
		b, err := json.Marshal(v)
		if err != nil {
			panic(err) // strings and numbers only
		}
		values[i] = string(b)
	}
	return fmt.Sprintf(js, values...)
}

// programs is the folder of the built programs.
func programs(t *testing.T) string {
	t.Helper()
	dir, err := robot.Programs()
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// logs keeps what the programs write for operators and shows it when the test failed.
func logs(t *testing.T) io.Writer {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = f.Close()
		if b, err := os.ReadFile(f.Name()); err == nil && t.Failed() {
			t.Logf("what the programs wrote:\n%s", b)
		}
	})
	return f
}
