package caapi

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"senim/internal/ca"
	"senim/internal/caapi/client"
)

// Bounds of a search.
const (
	pageSize = 100
	recent   = 31 * 24 * time.Hour
	longest  = 366 * 24 * time.Hour
)

type searchInput struct {
	IIN      string    `query:"iin" pattern:"^[0-9]{12}$" example:"123456789011" doc:"Holder's number."`
	BIN      string    `query:"bin" pattern:"^[0-9]{12}$" example:"123456789021" doc:"Organisation's number."`
	Profile  string    `query:"profile" maxLength:"40" example:"individual"`
	State    string    `query:"state" enum:"valid,revoked,hold,expired" example:"valid"`
	From     time.Time `query:"from" example:"2026-09-01T00:00:00Z" doc:"Issued at or after."`
	To       time.Time `query:"to" example:"2026-10-01T00:00:00Z" doc:"Issued before."`
	EndsFrom time.Time `query:"ends_from" example:"2027-09-01T00:00:00Z" doc:"Ends at or after."`
	EndsTo   time.Time `query:"ends_to" example:"2027-10-01T00:00:00Z" doc:"Ends before."`
	Cursor   string    `query:"cursor" maxLength:"200" example:"MTc4ODI1NjgwMDAwMC01OWUwOGIwYTIxYjU3YTE1ZDhkNmE5NWI2ZjZkOGUyYTRkMWMzZjcw" doc:"The next of the page before."`
	Limit    int       `query:"limit" minimum:"1" maximum:"100" default:"50" doc:"Certificates on a page."`
}

func (s *Server) search(ctx context.Context, in *searchInput) (*out[client.Page], error) {
	c := callOf(ctx)
	c.record.Personal["iin"], c.record.Personal["bin"] = in.IIN, in.BIN
	q := ca.Query{IIN: in.IIN, BIN: in.BIN, State: in.State, Profiles: c.client.Profiles, IssuedFrom: in.From, IssuedTo: in.To,
		EndsFrom: in.EndsFrom, EndsTo: in.EndsTo, Limit: min(max(in.Limit, 1), pageSize) + 1}
	if in.Profile != "" {
		if !c.client.Covers(in.Profile) {
			return nil, s.failed(ctx, refuse(http.StatusForbidden, "PROFILE_NOT_ALLOWED", "this client may not see this profile"))
		}
		q.Profiles = []string{in.Profile}
	}
	if err := s.bound(&q); err != nil {
		return nil, s.failed(ctx, err)
	}
	if in.Cursor != "" {
		var err error
		if q.Before, q.BeforeSerial, err = readCursor(in.Cursor); err != nil {
			return nil, s.failed(ctx, refuse(http.StatusUnprocessableEntity, "CURSOR_INVALID", "a cursor is given back as it came"))
		}
	}
	found, err := s.c.Authority.Search(ctx, q)
	if err != nil {
		return nil, s.failed(ctx, err)
	}
	page := client.Page{Items: []client.Certificate{}}
	if len(found) == q.Limit {
		found = found[:len(found)-1]
		last := found[len(found)-1]
		page.Next = writeCursor(last.IssuedAt, last.Serial)
	}
	now := s.c.Now()
	for _, i := range found {
		page.Items = append(page.Items, certificateOf(i, now))
	}
	return &out[client.Page]{page}, nil
}

// bound keeps a search that names no holder within a time, so that it never walks the whole database.
func (s *Server) bound(q *ca.Query) error {
	if q.IIN != "" || q.BIN != "" {
		return nil
	}
	from, to := &q.IssuedFrom, &q.IssuedTo
	if !q.EndsFrom.IsZero() {
		from, to = &q.EndsFrom, &q.EndsTo
	}
	if to.IsZero() {
		*to = s.c.Now().Add(time.Minute)
		if from == &q.EndsFrom {
			*to = from.Add(recent)
		}
	}
	if from.IsZero() {
		*from = to.Add(-recent)
	}
	if to.Sub(*from) > longest {
		return refuse(http.StatusUnprocessableEntity, "PERIOD_TOO_LONG", "without iin or bin a search covers 366 days at most")
	}
	return nil
}

func writeCursor(at time.Time, serial string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(strconv.FormatInt(at.UnixMilli(), 10) + "-" + serial))
}

func readCursor(s string) (at time.Time, serial string, err error) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(s)
	if err != nil {
		return at, "", err
	}
	ms, serial, _ := strings.Cut(string(b), "-")
	n, err := strconv.ParseInt(ms, 10, 64)
	if err != nil || !rxSerial.MatchString(serial) || n <= 0 || n > 1<<53 {
		return at, "", errors.New("not a cursor")
	}
	return time.UnixMilli(n).UTC(), serial, nil
}

func jsonOf(v any) ([]byte, error) {
	b, err := json.Marshal(v)
	return append(b, '\n'), err
}
