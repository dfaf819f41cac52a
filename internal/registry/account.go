package registry

import (
	"context"
	"time"
)

// BankAccount is an account of a taxpayer; TIN and IIK are its key.
type BankAccount struct {
	TIN      string
	IIK      string // the account's number, an IBAN
	BIK      string // the bank's code
	Type     string
	OpenedOn Date
	ClosedOn Date
}

// Open reports whether the account is open on a day.
func (a BankAccount) Open(on Date) bool {
	return a.OpenedOn <= on && (a.ClosedOn == "" || a.ClosedOn > on)
}

// Bank is a bank by its code.
type Bank struct {
	BIK            string
	NameRU, NameKK string
	Code           string // the old one
	TIN            string
	Closed         bool
}

// Codes of answers about accounts and banks.
const (
	AccountUnknown = "ACCOUNT_UNKNOWN" // this owner has no such account
	AccountClosed  = "ACCOUNT_CLOSED"  // Value holds when
	BankUnknown    = "BANK_UNKNOWN"
	BankClosed     = "BANK_CLOSED"
)

// accountTx reads accounts and banks.
type accountTx interface {
	// Account lists the records in force for an account of an owner, at most one for each source.
	Account(ctx context.Context, tin, iik string) ([]Kept[BankAccount], error)
	// Bank lists the records in force for a bank, likewise.
	Bank(ctx context.Context, bik string) ([]Kept[Bank], error)
}

// Account tells whether an owner has an account. Bad: AccountUnknown, AccountClosed.
func (b *Book) Account(ctx context.Context, tin, iik string) Answer[BankAccount] {
	return ask(ctx, b, func(tx Tx, now time.Time) (Answer[BankAccount], error) {
		kept, err := tx.Account(ctx, tin, iik)
		if err != nil {
			return Answer[BankAccount]{}, err
		}
		best, err := newest(ctx, b, tx, kept, now)
		switch {
		case err != nil:
			return best, err
		case best.Source == "":
			return absent[BankAccount](ctx, b, tx, AccountUnknown, now, SourceTax)
		case best.Verdict == Good && !best.Value.Open(DateOf(now)):
			best.Verdict, best.Code = Bad, AccountClosed
		}
		return best, nil
	})
}

// Bank tells which bank a code is of. Bad: BankUnknown, BankClosed.
func (b *Book) Bank(ctx context.Context, bik string) Answer[Bank] {
	return ask(ctx, b, func(tx Tx, now time.Time) (Answer[Bank], error) {
		kept, err := tx.Bank(ctx, bik)
		if err != nil {
			return Answer[Bank]{}, err
		}
		best, err := newest(ctx, b, tx, kept, now)
		switch {
		case err != nil:
			return best, err
		case best.Source == "":
			return absent[Bank](ctx, b, tx, BankUnknown, now, SourceTax)
		case best.Verdict == Good && best.Value.Closed:
			best.Verdict, best.Code = Bad, BankClosed
		}
		return best, nil
	})
}
