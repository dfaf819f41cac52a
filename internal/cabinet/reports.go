package cabinet

import (
	"net/http"
	"strconv"

	"senim/internal/ra"
	"senim/internal/web"
)

func (s *cabinet) reportRoutes(at routes) {
	at.own("GET /reports", s.askReport)
	at.own("POST /reports", s.takeReport)
	at.own("GET /reports/{id}", s.report)
	at.own("POST /reports/{id}", s.download)
}

// reportChoices are the reports the visitor may ask for, by the value of the form.
func (s *cabinet) reportChoices(r *web.Request) []web.Option {
	all := []web.Option{{Value: "mine", Text: r.T("reports.kind.mine"), Hint: r.T("reports.kind.mine_hint")}, {Value: "replaced", Text: r.T("reports.kind.replaced")}}
	if me := viewer(r); me.BIN != "" && s.c.Office.Heads(r.Context(), me.IIN, me.BIN) {
		for _, days := range []int{30, 14, 7} {
			all = append(all, web.Option{Value: "expiring-" + strconv.Itoa(days), Text: r.T("reports.kind.expiring", "days", days)})
		}
	}
	return all
}

// askReport offers reports and lists those asked for.
func (s *cabinet) askReport(w http.ResponseWriter, r *web.Request) error {
	return s.reporting(w, r, nil)
}

func (s *cabinet) reporting(w http.ResponseWriter, r *web.Request, errs web.Errors) error {
	all, err := s.c.Office.Reports(r.Context(), r.Session().IIN)
	if err != nil {
		return err
	}
	list := all[:0]
	for _, one := range all {
		if !one.Operator {
			list = append(list, one)
		}
	}
	p := reportsPage(r, s.reportChoices(r), list, errs)
	if len(errs) > 0 {
		return r.Invalid(w, p)
	}
	return r.OK(w, p)
}

// takeReport asks the office for a report and shows how it stands.
func (s *cabinet) takeReport(w http.ResponseWriter, r *web.Request) error {
	ask := ra.ReportAsk{Format: ra.ReportFormat(r.Field("format")), Lang: r.Lang()}
	switch which := r.Field("which"); which {
	case "mine", "replaced":
		ask.Kind = ra.ReportKind(which)
	case "expiring-30", "expiring-14", "expiring-7":
		ask.Kind = ra.ReportExpiring
		ask.Days = map[string]int{"expiring-30": 30, "expiring-14": 14, "expiring-7": 7}[which]
	default:
		return s.reporting(w, r, web.Errors{{Field: "which", Text: r.T("reports.error.which")}})
	}
	one, err := s.c.Office.AskReport(r.Context(), viewer(r), ask)
	if err != nil {
		return err
	}
	return r.Redirect("/reports/" + one.ID)
}

// report shows how a report stands.
func (s *cabinet) report(w http.ResponseWriter, r *web.Request) error {
	one, err := s.c.Office.FindReport(r.Context(), r.Session().IIN, r.PathValue("id"))
	if err != nil {
		return err
	}
	return r.OK(w, reportPage(r, one))
}

// download gives the file. It is a post, because it is recorded.
func (s *cabinet) download(w http.ResponseWriter, r *web.Request) error {
	one, err := s.c.Office.Download(r.Context(), r.Session().IIN, false, r.PathValue("id"))
	if err != nil {
		return err
	}
	web.Attach(w, one.Format.Type(), one.FileName())
	_, err = w.Write(one.Content)
	return err
}
