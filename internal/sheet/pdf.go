package sheet

import (
	"bytes"
	"fmt"
	"strconv"

	"codeberg.org/go-pdf/fpdf"
	"github.com/go-fonts/liberation/liberationsansregular"
)

// Measures of a page, in millimetres and points.
const (
	margin     = 12.0
	lineHeight = 4.4
	body       = 8.5
	family     = "sans"
	allPages   = "{all}"
)

// PDF writes the sheet on A4, lying when it has many columns.
func PDF(s Sheet) ([]byte, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	p := &paper{Fpdf: fpdf.New(orientation(s), "mm", "A4", ""), s: s}
	p.SetCreationDate(s.Made)
	p.SetModificationDate(s.Made)
	p.SetCatalogSort(true)
	p.SetTitle(s.Title, true)
	p.SetLang(s.Lang)
	p.AddUTF8FontFromBytes(family, "", bytes.Clone(liberationsansregular.TTF)) // the library may write into it
	p.SetMargins(margin, margin, margin)
	p.SetAutoPageBreak(false, margin)
	p.AliasNbPages(allPages)
	p.SetFooterFunc(p.foot)
	p.widths()
	p.page()
	p.title()
	p.head()
	for _, row := range s.Rows {
		p.row(row)
	}
	if len(s.Rows) == 0 {
		p.SetFont(family, "", body+1)
		p.MultiCell(0, 6, s.Empty, "", "L", false)
	}
	var b bytes.Buffer
	if err := p.Output(&b); err != nil {
		return nil, fmt.Errorf("write a PDF: %w", err)
	}
	return b.Bytes(), nil
}

func orientation(s Sheet) string {
	if len(s.Columns) > 5 {
		return "L"
	}
	return "P"
}

// paper is a sheet being laid out.
type paper struct {
	*fpdf.Fpdf
	s     Sheet
	width []float64
}

// widths divides the width of the page among the columns.
func (p *paper) widths() {
	w, _ := p.GetPageSize()
	total := 0.0
	for _, c := range p.s.Columns {
		total += max(c.Width, 1)
	}
	p.width = make([]float64, len(p.s.Columns))
	for i, c := range p.s.Columns {
		p.width[i] = (w - 2*margin) * max(c.Width, 1) / total
	}
}

func (p *paper) page() {
	p.AddPage()
	p.SetFont(family, "", body)
	p.SetDrawColor(120, 120, 120)
	p.SetLineWidth(0.1)
}

func (p *paper) title() {
	p.SetFont(family, "", 15)
	p.MultiCell(0, 7, p.s.Title, "", "L", false)
	p.SetFont(family, "", body+0.5)
	for _, l := range p.s.Lines {
		p.MultiCell(0, 5, l, "", "L", false)
	}
	p.Ln(3)
}

// head is the head of the table, on every page.
func (p *paper) head() {
	cells := make([]string, len(p.s.Columns))
	for i, c := range p.s.Columns {
		cells[i] = c.Title
	}
	p.SetFillColor(230, 238, 239)
	p.lay(p.broken(cells), true)
}

func (p *paper) row(cells []string) {
	lines := p.broken(cells)
	_, h := p.GetPageSize()
	if p.GetY()+height(lines) > h-margin-6 {
		p.page()
		p.head()
	}
	p.lay(lines, false)
}

// broken breaks each cell into lines of its column, at most a few: a cell never fills a page.
func (p *paper) broken(cells []string) [][]string {
	const most = 6
	p.SetFont(family, "", body)
	out := make([][]string, len(cells))
	for i, c := range cells {
		out[i] = p.SplitText(c, p.width[i]-2)
		if len(out[i]) > most {
			out[i] = append(out[i][:most-1], "…")
		}
	}
	return out
}

func height(lines [][]string) float64 {
	n := 1
	for _, l := range lines {
		n = max(n, len(l))
	}
	return float64(n)*lineHeight + 1.6
}

func (p *paper) lay(lines [][]string, fill bool) {
	h, y := height(lines), p.GetY()
	x := margin
	for i, cell := range lines {
		style := "D"
		if fill {
			style = "FD"
		}
		p.Rect(x, y, p.width[i], h, style)
		for n, l := range cell {
			p.SetXY(x+0.5, y+0.8+float64(n)*lineHeight)
			p.CellFormat(p.width[i]-1, lineHeight, l, "", 0, "L", false, 0, "")
		}
		x += p.width[i]
	}
	p.SetXY(margin, y+h)
}

func (p *paper) foot() {
	p.SetY(-margin - 2)
	p.SetFont(family, "", 8)
	if p.s.Page != nil {
		p.CellFormat(0, 5, p.s.Page(strconv.Itoa(p.PageNo()), allPages), "", 0, "R", false, 0, "")
	}
}
