package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"senim/internal/robot"
)

// TestC36VisitByKeyboard: somebody whose key expired comes to a desk. Two operators without a mouse take his
// application, examine his papers, make and sign, and write his new key to a file: it is good for a year. His address is
// confirmed by the code of a letter. The pages on the way are looked at, the receipt on paper too; then a key is
// put on hold, and a report made.
func TestC36VisitByKeyboard(t *testing.T) {
	t.Parallel()
	b, sys := browser(t), start(t)
	who := sys.Person("expired")
	one, two := newTab(t, b, sys, "ru"), newTab(t, b, sys, "ru")
	for w, clerk := range map[*tab]string{one: "clerk-1", two: "clerk-2"} {
		w.keys = true
		w.open(sys.Cabinet+"/desk/signin").use("/desk/signin", keyOf(sys.Person(clerk), "office"))
	}
	p := lookingWith(t, one)
	speak(one, "ru")
	names := strings.Fields(who.Name)
	one.open(sys.Cabinet+"/desk/find").fill("q", who.IIN).submit("/desk/find").follow("/desk/take")
	one.fill("surname", names[0]).fill("name", names[1]).fill("patronymic", names[2]).fill("email", who.Email).fill("city", "Алматы").submit("/desk/take")
	taken := read(one, "where", chromedp.Location())
	for _, at := range []string{"/examine", "/contact", "/phone", "/reject", "/change", ""} {
		p.look("case", taken+at)
	}
	scan := filepath.Join(t.TempDir(), "scan.pdf")
	if err := os.WriteFile(scan, []byte("%PDF-1.7 a paper"), 0o600); err != nil {
		t.Fatal(err)
	}
	one.follow("/examine").fill("document", "045678901").date("expires", time.Now().AddDate(5, 0, 0))
	one.fill("surname", names[0]).fill("name", names[1]).fill("patronymic", names[2])
	one.act("the scan", chromedp.SetUploadFiles(css("main input[type=file]"), []string{scan})) // the system's own window
	one.submit("/examine").sees("Создайте")
	p.look("case-keys", taken)
	folder := t.TempDir()
	one.use("/keys", choice{folder: folder})
	p.look("case-sign", taken)
	one.use("/identify", keyOf(sys.Person("clerk-1"), "office"))
	p.look("case-second", taken)
	two.open(taken).shot("approve")
	two.use("/approve", keyOf(sys.Person("clerk-2"), "office"))
	one.open(taken)
	one.act("wait for the certificate", chromedp.WaitVisible(css(`main form[action*="/install"]`)))
	p.look("case-install", taken)
	one.use("/install", choice{newPassword: newPassword})
	made, err := filepath.Glob(filepath.Join(folder, "*.p12"))
	if err != nil || len(made) != 1 {
		t.Fatalf("%d key files (%v)", len(made), err)
	}
	now := time.Now()
	if to := certificate(t, choice{file: made[0], password: newPassword}).NotAfter; to.Before(now.AddDate(0, 0, 364)) || to.After(now.AddDate(0, 0, 366)) {
		t.Errorf("the new key is good until %v", to)
	}
	p.look("receipt", taken+"/receipt")
	if _, err := chromedp.Call(one.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: "print"}); err != nil {
		t.Fatal(err)
	}
	one.shot("receipt-paper")
	if left := read(one, "look at the paper", chromedp.Evaluate[[]string](clickable)); len(left) > 0 || strings.Contains(one.text(), "Напечатайте") {
		t.Errorf("on paper there is still %q:\n%s", left, one.text())
	}
	if _, err := chromedp.Call(one.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{}); err != nil {
		t.Fatal(err)
	}

	// His other address, by the code of a letter.
	p.lookAfter("contact-code", func() { one.open(taken+"/contact").fill("email", "new-"+who.Email).submit("/contact") })
	code, err := sys.Code(t.Context(), "new-"+who.Email)
	if err != nil {
		t.Fatal(err)
	}
	one.open(taken+"/contact").fill("email", "new-"+who.Email).submit("/contact")
	one.fill("code", code).submit("/contact/code").sees("new-" + who.Email).shot("contact-done")

	// A key on hold takes two; then the board, the lists, a report.
	key := keyOf(sys.Person("deputy"), "personal")
	one.open(sys.Cabinet+"/desk/keys/"+serial(t, key)).tick("act", "hold").fill("document", "045678902").fill("text", "заявление").submit("/desk/keys/")
	act := read(one, "where", chromedp.Location())
	p.look("act-draft", act)
	one.use("/desk/acts/", keyOf(sys.Person("clerk-1"), "office"))
	p.look("act-waiting", act)
	two.open(act).use("/desk/acts/", keyOf(sys.Person("clerk-2"), "office"))
	p.look("act-done", act)
	p.look("board", sys.Cabinet+"/desk/")
	p.look("list", sys.Cabinet+"/desk/list?state=INSTALLED")
	p.look("reports", sys.Cabinet+"/desk/reports")
	clerk := enter(t, sys, sys.Cabinet+"/desk/signin", keyOf(sys.Person("clerk-1"), "office"))
	clerk.open(sys.Cabinet+"/desk/reports").send("/desk/reports", "format", "csv")
	if clerk.p, err = clerk.p.Until(t.Context(), func(p *robot.Page) bool { return p.Heading() == "Отчёт готов" }); err != nil {
		t.Error(err)
	}
	p.look("report", clerk.p.URL.String())
	one.open(sys.Cabinet+"/desk/find").fill("q", who.IIN).submit("/desk/find")
	p.look("folder", sys.Cabinet+"/desk/folder")
}
