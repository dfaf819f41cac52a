package desk

import (
	"encoding/csv"
	"net/http"
	"strconv"
	"strings"

	"senim/internal/notice"
	"senim/internal/ra"
	"senim/internal/web"
)

func (d *desk) boardRoutes(own func(string, web.Handler)) {
	own("GET /desk/{$}", d.board)
	own("GET /desk/list", d.applications)
	own("POST /desk/list", d.file)
}

// boardView is what stands on the board.
type boardView struct {
	ra.Board
	Counted  *counted
	Messages *notice.Report
}

// board shows what waits for an operator, and the numbers of the desk.
func (d *desk) board(w http.ResponseWriter, r *web.Request) error {
	b, err := d.c.Office.Board(r.Context())
	if err != nil {
		return err
	}
	v := boardView{Board: b}
	if d.c.Figures != nil {
		c, err := d.count(r.Context())
		if err != nil {
			return err
		}
		v.Counted = &c
	}
	if d.c.Messages != nil {
		m, err := d.c.Messages.Report(r.Context())
		if err != nil {
			return err
		}
		v.Messages = &m
	}
	return r.OK(w, boardPage(r, v))
}

// listable are the states an operator may list; drafts are their applicants' own.
func listable() []ra.State {
	return []ra.State{ra.AwaitingDesk, ra.AwaitingDirector, ra.Signed, ra.Approved, ra.Issued, ra.Installed, ra.Rejected, ra.Expired, ra.Withdrawn}
}

func stateOf(typed string) ra.State {
	for _, s := range listable() {
		if string(s) == typed {
			return s
		}
	}
	return ra.AwaitingDesk
}

func (d *desk) applications(w http.ResponseWriter, r *web.Request) error {
	by, err := operator(r)
	if err != nil {
		return err
	}
	s := stateOf(r.URL.Query().Get("state"))
	all, err := d.c.Office.Listed(r.Context(), by, s, false)
	if err != nil {
		return err
	}
	return r.OK(w, applicationsPage(r, s, all))
}

// file gives a list as CSV for spreadsheets (UTF-8 with BOM, semicolons). It is posted, because it is
// written down that the list left.
func (d *desk) file(w http.ResponseWriter, r *web.Request) error {
	by, err := operator(r)
	if err != nil {
		return err
	}
	s := stateOf(r.Field("state"))
	all, err := d.c.Office.Listed(r.Context(), by, s, true)
	if err != nil {
		return err
	}
	web.Attach(w, "text/csv; charset=utf-8", "applications.csv")
	if _, err := w.Write([]byte("\ufeff")); err != nil {
		return err
	}
	out := csv.NewWriter(w)
	out.Comma = ';'
	head := []string{"number", "state", "kind", "name", "iin", "organization", "bin", "role", "created", "changed", "cause"}
	for i, name := range head {
		head[i] = r.T("desk.column." + name)
	}
	if err := out.Write(head); err != nil {
		return err
	}
	for _, a := range all {
		row := []string{ra.FormatNumber(a.Number), r.T("cabinet.state." + string(a.State)), kind(r, a), fullName(a), a.Subject.IIN, a.Subject.Organization, a.Subject.BIN,
			role(r, a.Role), r.DateTime(a.Created), r.DateTime(a.Changed), a.Reason.Code}
		for i := range row {
			row[i] = cell(row[i])
		}
		if err := out.Write(row); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// cell keeps a spreadsheet from taking a name for a formula.
func cell(s string) string {
	if s != "" && strings.ContainsAny(s[:1], "=+-@\t\r") {
		return "'" + s
	}
	return s
}

// age is how many whole days an application has not moved.
func age(r *web.Request, a ra.Application) string {
	return r.T("desk.days", "n", int(r.Now().Sub(a.Changed).Hours()/24))
}

// bar is the height of a column of the chart, of 100.
func bar(n, most int) int {
	if n == 0 || most == 0 {
		return 0
	}
	return max(1, n*100/most)
}

func most(all []week) (m int) {
	for _, w := range all {
		m = max(m, w.N)
	}
	return m
}

func column(i int) string { return strconv.Itoa(i*50 + 8) }
