package desk

import (
	"net/http"
	"slices"
	"time"

	"senim/internal/ra"
	"senim/internal/web"
)

func (d *desk) reportRoutes(own func(string, web.Handler)) {
	own("GET /desk/reports", d.askReport)
	own("POST /desk/reports", d.takeReport)
	own("GET /desk/reports/{report}", d.report)
	own("POST /desk/reports/{report}", d.download)
}

// reportKinds are the reports of operators.
var reportKinds = []ra.ReportKind{ra.ReportWeeks, ra.ReportNoContact, ra.ReportLapsed}

func (d *desk) askReport(w http.ResponseWriter, r *web.Request) error {
	list, err := d.c.Office.Reports(r.Context(), r.Session().IIN)
	if err != nil {
		return err
	}
	list = slices.DeleteFunc(list, func(one ra.Report) bool { return !one.Operator })
	return r.OK(w, reportsPage(r, list))
}

// takeReport asks the office for one of the desk's reports.
func (d *desk) takeReport(_ http.ResponseWriter, r *web.Request) error {
	ask := ra.ReportAsk{Kind: ra.ReportKind(r.Field("which")), Format: ra.ReportFormat(r.Field("format")), Lang: r.Lang(), Operator: true}
	if !slices.Contains(reportKinds, ask.Kind) {
		return &ra.Refusal{Code: "REPORT_UNKNOWN"}
	}
	one, err := d.c.Office.AskReport(r.Context(), ra.Viewer{IIN: r.Session().IIN, BIN: r.Session().BIN}, ask)
	if err != nil {
		return err
	}
	return r.Redirect("/desk/reports/" + one.ID)
}

func (d *desk) report(w http.ResponseWriter, r *web.Request) error {
	one, err := d.c.Office.FindReport(r.Context(), r.Session().IIN, r.PathValue("report"))
	if err != nil {
		return err
	}
	if !one.Operator {
		return &ra.Refusal{Code: "REPORT_NOT_FOUND"}
	}
	return r.OK(w, reportPage(r, one))
}

// download gives the file. It is a post, because it is recorded.
func (d *desk) download(w http.ResponseWriter, r *web.Request) error {
	one, err := d.c.Office.Download(r.Context(), r.Session().IIN, true, r.PathValue("report"))
	if err != nil {
		return err
	}
	web.Attach(w, one.Format.Type(), one.FileName())
	_, err = w.Write(one.Content)
	return err
}

func reportOptions(r *web.Request) (all []web.Option) {
	for _, k := range reportKinds {
		all = append(all, web.Option{Value: string(k), Text: r.T("reports.kind." + string(k))})
	}
	return all
}

// reportState is a word of the catalogue, as the cabinet's pages use them.
func reportState(one ra.Report, now time.Time) string {
	switch {
	case one.Ready(now):
		return "ready"
	case one.Over(now):
		return "over"
	}
	return "waiting"
}

// refreshOf is how often the page of a report that is not ready asks again.
func refreshOf(one ra.Report, now time.Time) int {
	if reportState(one, now) == "waiting" {
		return 3
	}
	return 0
}
