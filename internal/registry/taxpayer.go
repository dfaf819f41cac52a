package registry

import (
	"context"
	"time"

	"senim/internal/ident"
)

// SourceTax is the register of taxpayers.
const SourceTax = "kgd"

// TaxpayerUnknown says that the register of taxpayers has no such number.
const TaxpayerUnknown = "TAXPAYER_UNKNOWN"

// TaxpayerType is what a taxpayer is, in the words of the e-invoice system.
type TaxpayerType string

// The types.
const (
	TaxNotSet            TaxpayerType = "NOT_SET"
	TaxIndividual        TaxpayerType = "INDIVIDUAL"
	TaxEntrepreneur      TaxpayerType = "INDIVIDUAL_ENTREPRENEUR"
	TaxPrivateEnterprise TaxpayerType = "PRIVATE_ENTERPRISE"
	TaxStateEnterprise   TaxpayerType = "STATE_ENTERPRISE"
)

// Practice is a profession practised privately; empty when none.
type Practice string

// The four professions.
const (
	Lawyer   Practice = "LAWYER"
	Bailiff  Practice = "BAILIFF"
	Mediator Practice = "MEDIATOR"
	Notary   Practice = "NOTARY"
)

// Taxpayer is what the tax office knows of a number (registries.md §4). TIN is an IIN or a BIN.
type Taxpayer struct {
	TIN                  string
	Type                 TaxpayerType
	NameRU, NameKK       string
	AddressRU, AddressKK string
	Nonresident          bool
	HeadTIN              string // of a unit's head office
	KOGD                 string // code of the tax office
	VATFrom, VATTo       Date
	VATSeries, VATNumber string
	IPFrom, IPTo         Date // sole proprietor
	Practice             Practice
	Blocked              bool
	BlockReason          string
	DirectorIIN          ident.IIN // not the head of the gate: that is the leader
	BudgetIIN            ident.IIN // who is responsible for settlements with the budget
	// Partial: the live service answered and no load did. Sole proprietor and value-added tax are
	// known; practice, blocking, tax office and persons are not, which is no "no".
	Partial bool `json:"-"`
}

// SoleProprietor reports whether the taxpayer is an active sole proprietor on a day.
func (t Taxpayer) SoleProprietor(on Date) bool {
	return t.IPFrom != "" && t.IPFrom <= on && (t.IPTo == "" || t.IPTo > on)
}

// VATPayer reports whether the taxpayer pays value-added tax on a day.
func (t Taxpayer) VATPayer(on Date) bool {
	return t.VATFrom != "" && t.VATFrom <= on && (t.VATTo == "" || t.VATTo > on)
}

// Taxpayer tells what the tax office knows of a number. Bad: TaxpayerUnknown. A blocked taxpayer is a good
// answer: what follows from it is the asker's business.
func (b *Book) Taxpayer(ctx context.Context, tin string) Answer[Taxpayer] {
	var live Answer[Taxpayer]
	if b.asks() {
		if live = b.c.Live.Taxpayer(ctx, b.purpose, tin); live.Verdict == Bad || settled(b, live) {
			return asked[Taxpayer](ctx, b, live)
		}
	}
	kept := ask(ctx, b, func(tx Tx, now time.Time) (Answer[Taxpayer], error) { return b.taxpayer(ctx, tx, tin, now) })
	if live.Verdict == Good {
		return join(live, kept)
	}
	return given(ctx, b, tin, kept)
}

// join puts what the live service tells, sole proprietor and value-added tax, over the last load's record.
func join(live, kept Answer[Taxpayer]) Answer[Taxpayer] {
	v, had := live.Value, kept.Value
	if v.Partial = kept.Verdict != Good; !v.Partial {
		had.IPFrom, had.IPTo = v.IPFrom, v.IPTo
		if had.VATFrom != v.VATFrom {
			had.VATSeries, had.VATNumber = "", "" // of another certificate
		}
		had.VATFrom, had.VATTo = v.VATFrom, v.VATTo
		if v.NameRU != "" {
			had.NameRU = v.NameRU
		}
		v = had
	}
	live.Value, live.NextLoad = v, kept.NextLoad
	return live
}

func (b *Book) taxpayer(ctx context.Context, tx Tx, tin string, now time.Time) (Answer[Taxpayer], error) {
	kept, err := tx.Taxpayer(ctx, tin)
	if err != nil {
		return Answer[Taxpayer]{}, err
	}
	best, err := newest(ctx, b, tx, kept, now)
	if err != nil || best.Source != "" {
		return best, err
	}
	return absent[Taxpayer](ctx, b, tx, TaxpayerUnknown, now, SourceTax)
}
