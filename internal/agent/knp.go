package agent

import (
	"context"
	"errors"
	"slices"

	"senim/internal/keystore"
	"senim/internal/lang"
	"senim/internal/ncalayer"
	"senim/pki"
)

// knp answers a call of the tax portal's module.
func (t *talk) knp(ctx context.Context, r *ncalayer.Request) ([]byte, string) {
	call, reply := r.KNP()
	if reply != nil {
		return reply, "refused"
	}
	window := tag(t.locale, lang.RU)
	switch call.Command {
	case "info":
		return call.Info(), "ok"
	case "getStorageType":
		return call.Storages(), "ok"
	case "getStorageDevicesByType":
		return call.Devices(t.agent.plugged()), "ok"
	case "getCertificates":
		return t.knpCertificates(ctx, call, window)
	}
	return t.knpSign(ctx, call, window)
}

// knpCertificates tells the certificates the person ticks: the same consent as that of kz.senim.keys.
func (t *talk) knpCertificates(ctx context.Context, call *ncalayer.KNPCall, window lang.Tag) ([]byte, string) {
	out := t.agent.show(ctx, t.site, window, &listing{call: &ncalayer.ListCall{}})
	listed, ok := out.result.(ncalayer.Listed)
	if !out.done || !ok {
		return call.Refuse(ncalayer.KNPError, "action.canceled"), "canceled"
	}
	var list []ncalayer.KNPCertificate
	for _, k := range listed.Keys {
		cert, err := pki.ParseCertificate(k.Certificate)
		if err != nil {
			continue // a pending key has none
		}
		info := keyInfo(cert)
		list = append(list, ncalayer.KNPCertificate{
			Alias: info.Alias, Serial: info.Serial, SubjectCN: info.SubjectCN, SubjectDN: info.SubjectDN,
			IssuerCN: info.IssuerCN, IssuerDN: info.IssuerDN, NotBefore: info.NotBefore, NotAfter: info.NotAfter,
		})
	}
	return call.Certificates(list), "ok"
}

func (t *talk) knpSign(ctx context.Context, call *ncalayer.KNPCall, window lang.Tag) ([]byte, string) {
	if call.Storage != ncalayer.PKCS12 && !slices.Contains(t.agent.plugged(), call.Storage) {
		t.noDriver(ctx, call.Storage, window)
		return call.Unsigned(ncalayer.KNPNoToken), "refused"
	}
	task := &signing{wanted: wish{files: call.Storage == ncalayer.PKCS12, others: []string{call.Storage}}}
	_, shown, err := t.lookXML(ctx, task, call.XML, nil, window)
	if errors.Is(err, errOrigin) {
		return call.Refuse(ncalayer.KNPInvalid, err.Error()), t.refuseRelayed(ctx, window, task)
	}
	if err != nil {
		return call.Refuse(ncalayer.KNPInvalid, err.Error()), "refused"
	}
	_ = task.add(shown) // one is never too many
	task.act = func(ctx context.Context, key *keystore.Key) (any, error) {
		out, err := t.agent.signXML(ctx, key, element{xml: call.XML}, true)
		return string(out), err
	}
	out := t.agent.show(ctx, t.site, window, task)
	xml, ok := out.result.(string)
	switch {
	case out.err != nil:
		return call.Unsigned(ncalayer.KNPFailed), "failed"
	case !out.done || !ok:
		return call.Refuse(ncalayer.KNPError, "action.canceled"), "canceled"
	}
	return call.Signed(xml), "ok"
}
