package withdrawal

import (
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"text/template"
	"time"

	"emolab/studies/session"
)

// receiptsDir is where receipts and reports are kept in a data folder.
const receiptsDir = "receipts"

// ReceiptDir is where the receipts of withdrawals and the reports of purges lie in a data
// folder.
func ReceiptDir(dir string) string { return filepath.Join(dir, receiptsDir) }

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
var receipt = template.Must(template.New("receipt").Funcs(template.FuncMap{"amount": amount, "comma": decimalComma, "french": french, "list": list}).Parse(
	`RECEIPT OF A WITHDRAWAL                    {{.At.UTC.Format "2006-01-02 15:04"}} UTC

All data of one participant of this study were erased, on that person's demand.

  sessions              {{.Sessions}}
  rows of the database  {{.Rows}}
  files                 {{.Files}} ({{amount .Bytes}})
  number of this act    {{.Tombstone}}

The number was computed from the code on the participant's receipt, with a key that
stays in the data folder: whoever has the code and the key can show that they belong to
this act, and from the number alone nobody can tell whose it was. It is kept, with the
date and the counts above, to show that the withdrawal was done, and that these data
must not come back.
{{if .Recipients}}
Copies were given to others before. They have to be told to erase theirs:
{{range .Recipients}}  [ ] {{.}}
{{end}}{{else}}
No copy was given to anybody, as far as this program knows.
{{end}}
Rows and files were overwritten. Copies of bundles were looked for in all folders of
{{list .Searched}}; copies that lie elsewhere, or were given another form,
are not reached, and have to be erased by whoever has them.
{{- if .Beside}} Files that
this program has not made, and that lay beside such copies or hold other people's
sessions too: {{len .Beside}}. They were left for whoever keeps the data to look through.
{{- end}}
Drives that move data around by themselves (SSDs) may hold old blocks for a while;
backups that were made of the data folder are not reached, and have to be erased by
whoever keeps them.


ATTESTATION D'EFFACEMENT                   {{.At.UTC.Format "02/01/2006 15:04"}} UTC

Toutes les données d'une personne participant à cette étude ont été effacées, à sa
demande.

  séances               {{.Sessions}}
  lignes de la base     {{.Rows}}
  fichiers              {{.Files}} ({{comma (amount .Bytes)}})
  numéro de cet acte    {{.Tombstone}}

Ce numéro a été calculé à partir du code figurant sur le reçu de la personne, avec une
clé qui reste dans le dossier des données : qui détient le code et la clé peut montrer
qu'ils correspondent à cet acte ; le numéro seul ne permet pas de savoir de qui il
s'agit. Il est conservé, avec la date et les nombres ci-dessus, pour attester le retrait
et empêcher le retour des données.
{{if .Recipients}}
Des copies avaient été remises à des tiers, qui doivent être prévenus :
{{range .Recipients}}  [ ] {{french .}}
{{end}}{{else}}
Aucune copie n'a été remise à quiconque, pour autant que ce programme le sache.
{{end}}
Lignes et fichiers ont été écrasés. Les copies ont été recherchées dans tous les dossiers
de {{list .Searched}} ; celles qui se trouvent ailleurs, ou sous une autre
forme, ne sont pas atteintes et doivent être effacées par qui les détient.
{{- if .Beside}} Fichiers
que ce programme n'a pas écrits, à côté de ces copies ou contenant aussi les séances
d'autres personnes : {{len .Beside}}. Ils ont été laissés à l'examen de qui conserve les données.
{{- end}}
Un disque qui déplace lui-même les données (SSD)
peut garder d'anciens blocs quelque temps ; les sauvegardes du dossier ne sont pas
atteintes et doivent être effacées par qui les conserve.
`))

// Downloaded is who has the copies of bundles that the console handed out.
const Downloaded = "whoever has the copy that was downloaded in the console"

// What is said of bundles that were taken away, around the folder and the day.
const (
	takenWho, takenWhen = "whoever has what was in ", ": a bundle was written there on "
	nameless            = "a folder outside of the data"
	inFolder            = "the folder "
)

// takenFrom is who has a bundle that was written into a folder, and is not there any
// more; "" = one whose name is not kept.
func takenFrom(folder string, written time.Time) string {
	where := nameless
	if folder != "" {
		where = inFolder + folder
	}
	return takenWho + where + takenWhen + written.Local().Format(time.DateOnly)
}

// french says it in French where it is no name, but words of this program.
func french(recipient string) string {
	if recipient == Downloaded {
		return "la personne qui détient la copie téléchargée depuis la console"
	}
	where, taken := strings.CutPrefix(recipient, takenWho)
	where, day, dated := strings.Cut(where, takenWhen)
	if !taken || !dated {
		return recipient
	}
	if folder, named := strings.CutPrefix(where, inFolder); named {
		where = "le dossier " + folder
	} else {
		where = "un dossier hors des données"
	}
	return "la personne qui détient ce qui se trouvait dans " + where + " : une archive y a été écrite le " + day
}

// list writes names one after the other.
func list(names []string) string { return strings.Join(names, ", ") }

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
