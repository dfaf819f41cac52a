package desk

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"slices"
	"strconv"

	"senim/internal/batchfile"
	"senim/internal/lang"
	"senim/internal/registry"
	"senim/internal/web"
)

// Imports takes batches of files into the registry. [registry.Importer] is the real one.
type Imports interface {
	Imports(ctx context.Context, limit int) ([]registry.Import, error)
	Import(ctx context.Context, id int64) (registry.Import, error)
	Refused(ctx context.Context, id int64, f func(registry.Quarantined) error) error
	Receive(ctx context.Context, files fs.FS, r registry.Receipt) (registry.Import, error)
	Confirm(ctx context.Context, id int64, by registry.Clerk) error
	Reject(ctx context.Context, id int64, by registry.Clerk) error
}

func (d *desk) loadRoutes(own func(string, web.Handler)) {
	own("GET /desk/loads", d.loads)
	own("POST /desk/loads", d.upload)
	own("GET /desk/loads/{load}", d.load)
	own("POST /desk/loads/{load}", d.decideLoad)
	own("GET /desk/loads/{load}/refused.csv", d.refusedRows)
}

func (d *desk) loads(w http.ResponseWriter, r *web.Request) error {
	page, err := d.loadsOf(r, nil)
	if err != nil {
		return err
	}
	return r.OK(w, loadsPage(r, page))
}

// shownLoads is what the list shows: what waits first.
type shownLoads struct {
	waiting, others []registry.Import
	errs            web.Errors
}

func (d *desk) loadsOf(r *web.Request, errs web.Errors) (shownLoads, error) {
	all, err := d.c.Imports.Imports(r.Context(), 50)
	page := shownLoads{errs: errs}
	for _, i := range all {
		if i.State.Ended() {
			page.others = append(page.others, i)
		} else {
			page.waiting = append(page.waiting, i)
		}
	}
	return page, err
}

// unpacked bounds a batch given by hand, which is small; large ones come by the inbox.
var unpacked = batchfile.Bounds{File: 64 << 20, Rows: 500_000}

// upload takes a batch by hand: the operator answers for it, so its manifest needs no signature.
func (d *desk) upload(w http.ResponseWriter, r *web.Request) error {
	b, err := file(r, "batch")
	if err != nil {
		return err
	}
	code := ""
	var i registry.Import
	if len(b) == 0 {
		code = "LOAD_NO_FILE"
	} else if files, err := batchfile.OpenZip(bytes.NewReader(b), int64(len(b)), unpacked); err != nil {
		code = batchfile.CodeArchive
	} else {
		by := clerk(r)
		i, err = d.c.Imports.Receive(r.Context(), files, registry.Receipt{ByHand: &by})
		refusal, refused := errors.AsType[*registry.ImportRefusal](err)
		switch {
		case err == nil, refused && i.ID != 0:
			return r.Redirect(loadPath(i))
		case refused:
			code = refusal.Code
		case errors.Is(err, registry.ErrBusy):
			code = "LOAD_BUSY"
		default:
			return err
		}
	}
	var errs web.Errors
	errs.Add("batch", r.T("load.code."+code))
	page, err := d.loadsOf(r, errs)
	if err != nil {
		return err
	}
	return r.Invalid(w, loadsPage(r, page))
}

func loadPath(i registry.Import) string { return "/desk/loads/" + strconv.FormatInt(i.ID, 10) }

// importOf reads the batch of the path.
func (d *desk) importOf(r *web.Request) (registry.Import, error) {
	id, err := strconv.ParseInt(r.PathValue("load"), 10, 64)
	if err != nil {
		return registry.Import{}, web.ErrNotFound
	}
	return d.c.Imports.Import(r.Context(), id)
}

// shownRows is how many refused rows the page itself shows.
const shownRows = 50

var errRowsShown = errors.New("enough rows are shown")

func (d *desk) load(w http.ResponseWriter, r *web.Request) error {
	i, err := d.importOf(r)
	if err != nil {
		return err
	}
	var rows []registry.Quarantined
	err = d.c.Imports.Refused(r.Context(), i.ID, func(q registry.Quarantined) error {
		if rows = append(rows, q); len(rows) == shownRows {
			return errRowsShown
		}
		return nil
	})
	if err != nil && !errors.Is(err, errRowsShown) {
		return err
	}
	return r.OK(w, loadPage(r, i, rows))
}

func (d *desk) decideLoad(_ http.ResponseWriter, r *web.Request) error {
	i, err := d.importOf(r)
	if err != nil {
		return err
	}
	switch r.Field("act") {
	case "confirm":
		err = d.c.Imports.Confirm(r.Context(), i.ID, clerk(r))
	case "reject":
		err = d.c.Imports.Reject(r.Context(), i.ID, clerk(r))
	default:
		return web.ErrNotFound
	}
	if err != nil {
		return err
	}
	return r.Redirect(loadPath(i))
}

// refusedRows gives every refused row with its reason, as a file: where they stand, never what stands in them.
func (d *desk) refusedRows(w http.ResponseWriter, r *web.Request) error {
	i, err := d.importOf(r)
	if err != nil {
		return err
	}
	web.Attach(w, "text/csv; charset=utf-8", "refused-"+strconv.FormatInt(i.ID, 10)+".csv")
	if _, err := w.Write([]byte("\ufeff")); err != nil {
		return fmt.Errorf("write refused rows: %w", err)
	}
	out := csv.NewWriter(w)
	out.Comma = ';'
	err = out.Write([]string{"file", "line", "column", "code", "loaded", r.T("load.column.why")})
	if err == nil {
		err = d.c.Imports.Refused(r.Context(), i.ID, func(q registry.Quarantined) error {
			return out.Write([]string{q.File, strconv.Itoa(q.Row), q.Field, q.Code, map[bool]string{true: "1", false: "0"}[q.Kept], rowWhy(r, q.Code)})
		})
	}
	out.Flush()
	if err = errors.Join(err, out.Error()); err != nil {
		return fmt.Errorf("write refused rows: %w", err)
	}
	return nil
}

func rowWhy(r *web.Request, code string) string { return r.T("load.row." + code) }

// loadWhy says why a batch was refused or waits.
func loadWhy(r *web.Request, i registry.Import) string {
	switch {
	case i.State == registry.Held, i.Code == "":
		return ""
	case lang.Has("load.code." + i.Code):
		return r.T("load.code." + i.Code)
	}
	return words(r, i.Code, i.Detail)
}

// loadRows are the facts of a batch.
func loadRows(r *web.Request, i registry.Import) []web.Row {
	kind := "load.kind.delta"
	if i.Full {
		kind = "load.kind.full"
	}
	came := "load.came.inbox"
	if i.ByHand {
		came = "load.came.hand"
	}
	where := i.Detail["file"]
	for _, part := range []string{"line", "column"} {
		if i.Detail[part] != "" {
			where += ", " + r.T("load.where."+part) + " " + i.Detail[part]
		}
	}
	rows := []web.Row{{Label: r.T("load.field.why"), Value: loadWhy(r, i)}, {Label: r.T("load.field.where"), Value: where}}
	if i.Source != "" {
		rows = append(rows, web.Row{Label: r.T("load.field.source"), Value: source(r, i.Source)}, web.Row{Label: r.T("load.field.kind"), Value: r.T(kind)},
			web.Row{Label: r.T("load.field.as_of"), Value: r.DateTime(i.AsOf)})
	}
	rows = append(rows, web.Row{Label: r.T("load.field.received"), Value: r.DateTime(i.Received)}, web.Row{Label: r.T("load.field.came"), Value: r.T(came)})
	if i.Source != "" {
		rows = append(rows, web.Row{Label: r.T("load.field.rows"), Value: strconv.FormatInt(i.Total(), 10)},
			web.Row{Label: r.T("load.field.quarantined"), Value: strconv.FormatInt(i.Quarantined(), 10)},
			web.Row{Label: r.T("load.field.manifest"), Value: i.SHA256, Mono: true}, web.Row{Label: r.T("load.field.signer"), Value: i.Signer, Mono: true})
	}
	if i.State == registry.Accepted {
		rows = append(rows, web.Row{Label: r.T("load.field.number"), Value: strconv.FormatInt(i.Load, 10)})
	}
	return rows
}

// loadKind is the colour of a state.
func loadKind(s registry.ImportState) string {
	switch s {
	case registry.Accepted:
		return "good"
	case registry.Refused:
		return "stop"
	default:
		return "soon"
	}
}

// outCodes lists the codes of refused rows, the most frequent first.
func outCodes(i registry.Import) []string {
	var codes []string
	for code := range i.Out {
		codes = append(codes, code)
	}
	slices.SortFunc(codes, func(a, b string) int {
		if d := i.Out[b] - i.Out[a]; d != 0 {
			return int(d)
		}
		return bytes.Compare([]byte(a), []byte(b))
	})
	return codes
}

// notice is what an operator should know on every page: a batch that waits for him, else sources that are late.
func (d *desk) notice(r *web.Request) (web.Notice, error) {
	if n, err := d.loadNotice(r); err != nil || n.Code != "" {
		return n, err
	}
	return web.LateNotice(r, d.c.Registries, "")
}

// loadNotice says on every page that a batch waits, or that the newest of its source was refused (L6).
func (d *desk) loadNotice(r *web.Request) (web.Notice, error) {
	if d.c.Imports == nil || !r.Session().SignedIn() {
		return web.Notice{}, nil
	}
	if cert, err := r.Certificate(); err != nil || !d.operator(cert.Holder()) {
		return web.Notice{}, nil // the cabinet's people come to the sign-in page too
	}
	all, err := d.c.Imports.Imports(r.Context(), 20)
	if err != nil {
		return web.Notice{}, err
	}
	seen := map[string]bool{}
	for _, i := range all {
		if seen[i.Source] {
			continue
		}
		seen[i.Source] = true
		code := ""
		switch i.State {
		case registry.Held, registry.Unverified:
			code = "waits"
		case registry.Refused:
			code = "refused"
		default:
			continue
		}
		return web.Notice{Code: "load-" + code, Text: r.T("load.notice." + code), Link: web.Link{Text: r.T("load.notice.link"), Href: loadPath(i)}}, nil
	}
	return web.Notice{}, nil
}
