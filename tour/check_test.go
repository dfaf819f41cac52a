package main

import (
	"bytes"
	"testing"
	"time"

	"senim/internal/robot"
)

// TestReportByItsJob asks for a report in a running installation, where a job makes it, and fetches it; a
// link to the person's keys opens for somebody who knows his number; the check page finds the key.
func TestReportByItsJob(t *testing.T) {
	t.Parallel()
	bin, err := robot.Programs()
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	sys, err := robot.Start(t.Context(), robot.Config{Bin: bin, Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	tour := &tour{ctx: t.Context(), out: &out, lang: "ru", started: time.Now(), sys: sys}
	defer func() {
		if err := sys.Stop(); err != nil {
			t.Error(err)
		}
	}()
	who := sys.Person("person")
	own := key(who, "personal")
	cert, err := certificateOf(own)
	if err != nil {
		t.Fatal(err)
	}
	w := tour.person().signIn(sys.Cabinet+"/signin", own).passed().open(sys.Cabinet+"/reports").send("which", "which", "mine", "format", "csv")
	if w.err == nil {
		w.p, w.err = w.p.Until(t.Context(), func(p *robot.Page) bool { return p.Heading() == "Отчёт готов" })
	}
	w.send("/reports/").sees(cert.SerialHex(), "Серийный номер")
	w.open(sys.Cabinet+"/check/person").send("number", "number", who.IIN).sees(cert.SerialHex())
	stranger := tour.person().open(sys.Cabinet+"/check").send("serial", "serial", "0X"+cert.SerialHex()).sees("Действителен", "Сам удостоверяющий центр")
	stranger.open(sys.Cabinet+"/check").send("serial", "serial", "0123456789").sees("Не выпускался")
	for _, one := range []*walk{w, stranger} {
		if one.err != nil {
			t.Errorf("%v\n%s", one.err, out.String())
		}
	}
}
