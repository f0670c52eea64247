package withdrawal

import (
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"text/template"

	"emolab/studies/session"
)

// receiptsDir is where receipts and reports are kept in a data folder.
const receiptsDir = "receipts"

// tombstoneShown is how many of a tombstone's digits name a receipt: enough that no two
// of a study are alike.
const tombstoneShown = 12

// ReceiptFile is where the receipt of a withdrawal is kept in a data folder.
func ReceiptFile(dir string, e session.Erasure) string {
	return filepath.Join(dir, receiptsDir, "withdrawal-"+e.At.UTC().Format("20060102-150405-")+short(e.Tombstone)+".txt")
}

func short(tombstone string) string {
	return tombstone[:min(len(tombstone), tombstoneShown)]
}

// WriteReceipt writes what the participant can be given: what was erased and when, in
// English and in French. It says neither code nor name, so that it may be kept.
func WriteReceipt(w io.Writer, e session.Erasure) error {
	if err := receipt.Execute(w, e); err != nil {
		return fmt.Errorf("withdrawal: write the receipt: %w", err)
	}
	return nil
}

// receipt is plain text, to be printed.
var receipt = template.Must(template.New("receipt").Funcs(template.FuncMap{"amount": amount, "comma": decimalComma}).Parse(
	`RECEIPT OF A WITHDRAWAL                    {{.At.UTC.Format "2006-01-02 15:04"}} UTC

All data of one participant of this study were erased, on that person's demand.

  sessions              {{.Sessions}}
  rows of the database  {{.Rows}}
  files                 {{.Files}} ({{amount .Bytes}})
  number of this act    {{.Tombstone}}

The number cannot be traced to a person. It is kept, with the date and the counts
above, to show that the withdrawal was done, and that these data must not come back.
{{if .Recipients}}
Copies were given to others before. They have to be told to erase theirs:
{{range .Recipients}}  [ ] {{.}}
{{end}}{{else}}
No copy was given to anybody, as far as this program knows.
{{end}}
Rows and files were overwritten. Drives that move data around by themselves (SSDs)
may hold old blocks for a while; backups that were made of the data folder are not
reached, and have to be erased by whoever keeps them.


ATTESTATION D'EFFACEMENT                   {{.At.UTC.Format "02/01/2006 15:04"}} UTC

Toutes les données d'une personne participant à cette étude ont été effacées, à sa
demande.

  séances               {{.Sessions}}
  lignes de la base     {{.Rows}}
  fichiers              {{.Files}} ({{comma (amount .Bytes)}})
  numéro de cet acte    {{.Tombstone}}

Ce numéro ne permet pas de remonter à la personne. Il est conservé, avec la date et
les nombres ci-dessus, pour attester le retrait et empêcher le retour des données.
{{if .Recipients}}
Des copies avaient été remises à des tiers, qui doivent être prévenus :
{{range .Recipients}}  [ ] {{.}}
{{end}}{{else}}
Aucune copie n'a été remise à quiconque, pour autant que ce programme le sache.
{{end}}
Lignes et fichiers ont été écrasés. Un disque qui déplace lui-même les données (SSD)
peut garder d'anciens blocs quelque temps ; les sauvegardes du dossier ne sont pas
atteintes et doivent être effacées par qui les conserve.
`))

// amount writes a number of bytes for people.
func amount(bytes int64) string {
	switch {
	case bytes >= 1<<30:
		return fmt.Sprintf("%.1f GB", float64(bytes)/(1<<30))
	case bytes >= 1<<20:
		return fmt.Sprintf("%.1f MB", float64(bytes)/(1<<20))
	}
	return fmt.Sprintf("%.1f kB", float64(bytes)/(1<<10))
}

// decimalComma writes a number as French does, with its unit.
func decimalComma(amount string) string {
	return strings.NewReplacer(".", ",", "GB", "Go", "MB", "Mo", "kB", "ko").Replace(amount)
}
