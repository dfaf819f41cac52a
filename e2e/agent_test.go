package e2e

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"senim/internal/robot"
	"senim/pfx"
	"senim/pki"
)

// choice is what the person does in the agent's window.
type choice struct {
	file, password string // the key file to choose, and what opens it
	folder         string // for new keys
	newPassword    string // for the files they are installed into
	shot           string // keep a picture of the window under this name
}

// use presses the button of a form that needs the agent, and acts in the window as the person does;
// then it waits for the page that follows.
func (w *tab) use(part string, c choice) *tab {
	w.t.Helper()
	w.ask(part)
	w.window(c)
	return w
}

// ask presses the button and leaves the rest to the caller.
func (w *tab) ask(part string) {
	w.t.Helper()
	sel := css("main form[data-agent][action*=%q] button[type=submit]", part)
	w.turned = turn(w.t, w.sys)
	w.mark()
	if w.keys {
		w.tabTo(string(sel)).act("ask the agent", chromedp.KeyEvent(kb.Enter))
		return
	}
	w.act("ask the agent", chromedp.Click(sel))
}

// mark lets arrive tell this page from the one that follows.
func (w *tab) mark() {
	w.t.Helper()
	w.act("mark the page", chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Run(ctx, chromedp.Evaluate[bool](`document.documentElement.dataset.before = "yes", true`))
		return err
	}))
}

// window waits for the agent's window, opens it in a browser of its own, and acts there.
func (w *tab) window(c choice) {
	w.t.Helper()
	v := w.openWindow()
	v.decide(c)
	w.arrive()
}

// openWindow shows the window the agent has just opened.
func (w *tab) openWindow() *tab {
	w.t.Helper()
	select {
	case address := <-w.sys.Agent.Windows():
		w.turned()
		v := newTab(w.t, w.browser, w.sys, w.lang)
		v.keys = w.keys
		v.act("open the agent's window", chromedp.Navigate(address), chromedp.WaitVisible(css("body[data-state=ready]")))
		return v
	case <-time.After(actTime):
		w.fail("wait for the agent's window", context.DeadlineExceeded)
	}
	return nil
}

// decide acts in the agent's window.
func (w *tab) decide(c choice) {
	w.t.Helper()
	switch {
	case c.folder != "":
		w.enter("#folder", c.folder)
	case c.newPassword != "":
		w.enter("#new-password", c.newPassword)
		w.enter("#new-password-2", c.newPassword)
	default:
		w.pick(c.file)
		if w.asks("#password") {
			w.enter("#password", c.password)
			w.shot("agent-" + c.shot)
			// A key seen for the first time shows its owner before it signs; one seen before signs at once.
			w.push("#sign")
			w.act("open the key", chromedp.WaitReady(css("body[data-state=done], body[data-state=ready] .key[data-state=unlocked]")))
			if w.asks("body[data-state=done]") {
				w.close()
				return
			}
		}
	}
	if c.shot != "" {
		w.shot("agent-" + c.shot + "-ready")
	}
	w.push("#sign")
	w.act("decide", chromedp.WaitVisible(css("body[data-state=done]")))
	w.close()
}

// enter types into a field of the agent's window.
func (w *tab) enter(sel, value string) {
	w.t.Helper()
	if w.keys {
		w.tabTo(sel).write(value)
		return
	}
	w.act("type", empty(sel), chromedp.SendKeys(css("%s", sel), value))
}

// push presses a button of the agent's window.
func (w *tab) push(sel string) {
	w.t.Helper()
	if w.keys {
		w.tabTo(sel).act("press "+sel, chromedp.KeyEvent(kb.Enter))
		return
	}
	w.act("press "+sel, chromedp.Click(css("%s", sel)))
}

// pick chooses a key by the name of its file.
func (w *tab) pick(file string) {
	w.t.Helper()
	const js = `(function(name){
		for (const e of document.querySelectorAll(".key")) {
			if (!e.textContent.includes(name)) continue;
			const i = e.querySelector("input");
			if (i.disabled) return e.textContent;
			if (!i.checked && !%v) i.click();
			i.dataset.wanted = "yes";
			return "";
		}
		return "no such key in the window";
	})(%s)`
	if problem := read(w, "choose the key", chromedp.Evaluate[string](script(js, w.keys, filepath.Base(file)))); problem != "" {
		w.shot("key")
		w.t.Fatalf("choose the key %s: %s", filepath.Base(file), problem)
	}
	if w.keys {
		w.tabTo(".key input").choose("[data-wanted]")
	}
}

func (w *tab) asks(selector string) bool {
	w.t.Helper()
	return read(w, "look for "+selector, chromedp.Evaluate[bool](script("!!document.querySelector(%s)", selector)))
}

// arrive waits until another page has come than the one that asked.
func (w *tab) arrive() {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.ctx, actTime)
	defer cancel()
	const js = `document.readyState === "complete" && !document.documentElement.dataset.before && !!document.querySelector("h1")`
	for tick := time.NewTicker(50 * time.Millisecond); ; {
		// While one page goes and the next comes there is nothing to ask: an error then means not yet.
		if there, err := chromedp.Run(ctx, chromedp.Evaluate[bool](js)); err == nil && there {
			tick.Stop()
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			w.fail("wait for the next page", ctx.Err())
		}
	}
}

// start starts a server and an agent of their own for a test.
func start(t *testing.T, server ...string) *robot.System {
	t.Helper()
	sys, err := robot.Start(t.Context(), robot.Config{Bin: programs(t), Dir: t.TempDir(), Server: server, Log: logs(t)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := sys.Stop(); err != nil {
			t.Errorf("stop: %v", err)
		}
	})
	return sys
}

// common is a system for the tests that leave it as it is.
var common struct {
	once sync.Once
	sys  *robot.System
	dir  string
	err  error
	// foreign is the file of a certificate of another trusted authority, whose list ran out.
	foreign string
	// agent is whose turn it is with the agent's windows.
	agent sync.Mutex
}

// shared gives it. Whoever asks its agent for a window takes turns with the others.
func shared(t *testing.T) *robot.System {
	t.Helper()
	bin := programs(t)
	common.once.Do(func() {
		if common.dir, common.err = os.MkdirTemp("", "senim-e2e-"); common.err != nil {
			return
		}
		common.foreign = foreignKey(t, common.dir)
		// The context of the first test ends before the others do.
		common.sys, common.err = robot.Start(context.WithoutCancel(t.Context()), robot.Config{Bin: bin, Dir: common.dir})
	})
	if common.err != nil {
		t.Fatal(common.err)
	}
	return common.sys
}

// turn waits for the agent of the shared system, and gives what ends the turn.
func turn(t *testing.T, sys *robot.System) (end func()) {
	t.Helper()
	if sys != common.sys {
		return func() {}
	}
	common.agent.Lock()
	end = sync.OnceFunc(common.agent.Unlock)
	t.Cleanup(end) // when the test fails
	return end
}

func endShared() error {
	if common.sys == nil {
		return nil
	}
	return errors.Join(common.sys.Stop(), os.RemoveAll(common.dir))
}

// certificate is the one in a key file.
func certificate(t *testing.T, c choice) *pki.Certificate {
	t.Helper()
	b, err := os.ReadFile(c.file)
	if err != nil {
		t.Fatal(err)
	}
	f, err := pfx.Decode(b, c.password)
	if err != nil {
		t.Fatal(err)
	}
	return f.Certificate
}

// serial is its number, as pages write it.
func serial(t *testing.T, c choice) string {
	t.Helper()
	return certificate(t, c).SerialHex()
}
