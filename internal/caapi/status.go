package caapi

import (
	"context"
	"errors"
	"net/http"
	"time"

	"senim/internal/ca"
	"senim/internal/caapi/client"
	"senim/internal/trust"
)

// reasonOf reads a reason that ends a certificate for good.
func reasonOf(name string) (ca.Reason, bool) {
	for _, r := range []ca.Reason{ca.Unspecified, ca.KeyCompromise, ca.AffiliationChanged, ca.Superseded, ca.CessationOfOperation} {
		if trust.ReasonName(int(r)) == name {
			return r, true
		}
	}
	return 0, false
}

func revocationOf(v *ca.Revocation) client.Revocation {
	out := client.Revocation{At: v.At, Reason: trust.ReasonName(int(v.Reason))}
	if !v.Invalidity.IsZero() {
		out.Invalidity = &v.Invalidity
	}
	return out
}

func (c *call) comment(code string) {
	if code != "" {
		c.record.Detail["comment"] = code
	}
}

func (s *Server) revoke(ctx context.Context, in *revokeInput) (*out[client.Revocation], error) {
	c, err := s.begin(ctx, in.Body.Reference)
	if err != nil {
		return nil, s.failed(ctx, err)
	}
	reason, ok := reasonOf(in.Body.Reason)
	if !ok { // the description excludes it; a second look costs nothing
		return nil, s.failed(ctx, &ca.Refusal{Code: ca.CodeReasonInvalid, Why: "this reason may not be chosen here"})
	}
	var since time.Time
	if in.Body.Invalidity != nil {
		since = *in.Body.Invalidity
	}
	if since.After(s.c.Now()) {
		return nil, s.failed(ctx, refuse(http.StatusUnprocessableEntity, "DATE_FUTURE", "the suspected date of a compromise is not in the future"))
	}
	c.record.Detail["reason"] = in.Body.Reason
	return s.end(ctx, in.Serial, reason, since, in.Body.Comment, in.Body.Reference)
}

func (s *Server) hold(ctx context.Context, in *holdInput) (*out[client.Revocation], error) {
	if _, err := s.begin(ctx, in.Body.Reference); err != nil {
		return nil, s.failed(ctx, err)
	}
	return s.end(ctx, in.Serial, ca.CertificateHold, time.Time{}, in.Body.Comment, in.Body.Reference)
}

func (s *Server) end(ctx context.Context, serial string, reason ca.Reason, since time.Time, comment, reference string) (*out[client.Revocation], error) {
	c := callOf(ctx)
	c.comment(comment)
	if err := s.touchable(ctx, serial); err != nil {
		return nil, s.failed(ctx, err)
	}
	v, err := s.c.Authority.Revoke(ctx, serial, reason, c.by(reference), since)
	if err != nil {
		return nil, s.failed(ctx, err)
	}
	return &out[client.Revocation]{revocationOf(v)}, nil
}

// touchable reports whether the client may act on a serial. One whose certificate was never seen, but
// may have been signed, can be revoked too, by whoever is not bound to profiles.
func (s *Server) touchable(ctx context.Context, serial string) error {
	_, err := s.mine(ctx, serial)
	if errors.Is(err, ca.ErrNotFound) && len(callOf(ctx).client.Profiles) == 0 {
		return nil
	}
	return err
}

func (s *Server) release(ctx context.Context, in *holdInput) (*out[client.Release], error) {
	c, err := s.begin(ctx, in.Body.Reference)
	if err != nil {
		return nil, s.failed(ctx, err)
	}
	c.comment(in.Body.Comment)
	if in.Body.Reference != "" {
		c.record.Detail["reference"] = in.Body.Reference
	}
	info, err := s.mine(ctx, in.Serial)
	if err != nil {
		return nil, s.failed(ctx, err)
	}
	if info.Revoked == nil || info.Revoked.Reason != ca.CertificateHold {
		done, err := s.c.Gate.Seconded(ctx, in.Serial, c.client.Name, c.key)
		if err == nil && done && info.Revoked == nil { // lifted by this very request, whose answer was lost
			return &out[client.Release]{client.Release{State: "released"}}, nil
		}
		if err == nil {
			err = &ca.Refusal{Code: ca.CodeReasonInvalid, Why: "the certificate is not on hold"}
		}
		return nil, s.failed(ctx, err)
	}
	first, until, err := s.c.Gate.Approve(ctx, in.Serial, info.Revoked.At, c.client.Name, c.key)
	if err != nil {
		return nil, s.failed(ctx, err)
	}
	if first == "" {
		return &out[client.Release]{client.Release{State: "awaiting_second", First: c.client.Name, Until: &until}}, nil
	}
	if err := s.c.Authority.Release(ctx, in.Serial, "api:"+first, c.client.Actor()); err != nil {
		return nil, s.failed(ctx, err)
	}
	return &out[client.Release]{client.Release{State: "released", First: first}}, nil
}
