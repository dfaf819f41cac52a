package sheet

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"
)

func sample(rows int) Sheet {
	s := Sheet{Title: "Менің ЭЦҚ кілттерім", Lines: []string{"ӘЛІМОВ ҒАНИ — 27.11.2026"}, Empty: "Кілттер жоқ", Lang: "kk",
		Columns: []Column{{"Нөмірі", 3}, {"Кімнің", 3}, {"Мерзімі", 1}}, Made: time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC),
		Page: func(n, of string) string { return n + " / " + of }}
	for i := range rows {
		s.Rows = append(s.Rows, []string{fmt.Sprintf("%040x", i), "ҚҰРМАНҒАЗЫ Әң өғқңұүһі ӘҒҚҢӨҰҮҺІ", "27.11.2027"})
	}
	return s
}

// A program of tables must get the text and never a formula.
func TestCSV(t *testing.T) {
	s := Sheet{Columns: []Column{{Title: "a"}, {Title: "b"}}}
	evil := []string{"=1+1", "+7", "-2", "@x", "\tcmd", "\r=1", " =2", "\u00a0=3", "=cmd|' /C calc'!A0", "\n=4"}
	for _, e := range evil {
		s.Rows = append(s.Rows, []string{e, `ҚҰ;"РМ`})
	}
	var b bytes.Buffer
	if err := CSV(&b, s); err != nil {
		t.Fatal(err)
	}
	text, found := strings.CutPrefix(b.String(), "\ufeff")
	if !found || !strings.HasPrefix(text, "a;b\r\n") || !strings.HasSuffix(text, "\r\n") {
		t.Fatalf("%q", b.String())
	}
	r := csv.NewReader(strings.NewReader(text))
	r.Comma = ';'
	rows, err := r.ReadAll()
	if err != nil || len(rows) != len(evil)+1 {
		t.Fatal(len(rows), err)
	}
	for i, row := range rows[1:] {
		if row[0][0] != '\'' || row[1] != `ҚҰ;"РМ` {
			t.Errorf("%q came out as %q", evil[i], row)
		}
	}
}

func TestShape(t *testing.T) {
	wrong := sample(1)
	wrong.Rows[0] = wrong.Rows[0][:2]
	long := sample(0)
	long.Rows = make([][]string, MaxRows+1)
	for _, s := range []Sheet{{}, wrong, long} {
		if err := CSV(&bytes.Buffer{}, s); !errors.Is(err, ErrShape) {
			t.Errorf("CSV: %v", err)
		}
		if _, err := PDF(s); !errors.Is(err, ErrShape) {
			t.Errorf("PDF: %v", err)
		}
	}
}

// pdfText reads a PDF as poppler does.
func pdfText(t *testing.T, pdf []byte) string {
	t.Helper()
	if _, err := exec.LookPath("pdftotext"); err != nil {
		t.Skip("pdftotext of poppler is not installed: the text of the PDF was not read")
	}
	cmd := exec.CommandContext(t.Context(), "pdftotext", "-layout", "-", "-")
	cmd.Stdin = bytes.NewReader(pdf)
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// Every Kazakh letter, the head on each page, pages numbered, the same bytes again.
func TestPDF(t *testing.T) {
	pdf, err := PDF(sample(120))
	if err != nil {
		t.Fatal(err)
	}
	again, err := PDF(sample(120))
	if err != nil || !bytes.Equal(pdf, again) {
		t.Errorf("the same sheet gives other bytes: %v", err)
	}
	if !regexp.MustCompile(`/MediaBox \[0 0 595\.\d+ 841\.\d+\]`).Match(pdf) {
		t.Error("not A4")
	}
	text := pdfText(t, pdf)
	pages := strings.Split(strings.TrimSuffix(text, "\f"), "\f")
	if len(pages) < 3 {
		t.Fatalf("%d pages", len(pages))
	}
	for i, p := range pages {
		for _, want := range []string{"Нөмірі", "Мерзімі", "ҚҰРМАНҒАЗЫ Әң өғқңұүһі ӘҒҚҢӨҰҮҺІ"} {
			if !strings.Contains(p, want) {
				t.Errorf("page %d lacks %q", i+1, want)
			}
		}
		if number := fmt.Sprintf("%d/%d", i+1, len(pages)); !strings.Contains(strings.ReplaceAll(p, " ", ""), number) {
			t.Errorf("page %d is not numbered %s", i+1, number)
		}
	}
	if n := strings.Count(text, "ҚҰРМАНҒАЗЫ"); n != 120 {
		t.Errorf("%d of 120 rows", n)
	}
	empty, err := PDF(sample(0))
	if err != nil || !strings.Contains(pdfText(t, empty), "Кілттер жоқ") {
		t.Error("an empty sheet does not say so", err)
	}
}
