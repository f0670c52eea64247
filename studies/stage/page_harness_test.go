package stage_test

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/draw"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"emolab/studies/browsertest"
	"emolab/studies/session"
	"emolab/studies/study"
)

// both are words in the two languages of these tests.
func both(en, fr string) study.Text { return study.Text{"en": en, "fr": fr} }

// pages of each kind, with every type of field.
func pages() []study.Sheet {
	text := func(en, fr string) map[string][]string { return map[string][]string{"en": {en}, "fr": {fr}} }
	goOn := both("Continue", "Continuer")
	return []study.Sheet{
		{
			ID: "notice", Kind: study.NoticeSheet, Heading: both("A program estimates expressions", "Un programme estime des expressions"),
			Body: text("A computer program estimates from the picture of your face which expressions it shows, and from your skin how aroused you are. It does so for this study only, and decides nothing about you.",
				"Un programme informatique estime, d’après l’image de votre visage, les expressions qu’il montre et, d’après votre peau, à quel point vous êtes en éveil. Il ne sert qu’à cette étude et ne décide rien à votre sujet."),
			Go: both("I have read this", "J’ai lu ce texte"),
		},
		{
			ID: "consent", Kind: study.ConsentSheet, Heading: both("Taking part", "Participer"),
			Body: text("You decide on each point by itself.", "Vous décidez de chaque point séparément."),
			Fields: []study.Field{
				{ID: "traces", Type: study.ScopeField, Required: true, Ask: both("Numbers about my expressions, my gaze and my skin are kept under a code.", "Des mesures de mes expressions, de mon regard et de ma peau sont conservées sous un code.")},
				{ID: "face_video", Type: study.ScopeField, Ask: both("The video of my face is kept for 30 days.", "La vidéo de mon visage est conservée 30 jours.")},
			},
			Go: both("I take part", "Je participe"), No: both("I do not take part", "Je ne participe pas"),
		},
		{
			ID: "screening", Kind: study.ScreeningSheet, Heading: both("A few questions", "Quelques questions"),
			Fields: []study.Field{
				{ID: "age", Type: study.Integer, Required: true, Min: 0, Max: 120, Ask: both("Your age?", "Votre âge ?")},
				{ID: "income", Type: study.Choice, Ask: both("Yearly income before tax", "Revenu annuel avant impôt"), Options: []study.Option{
					{Value: "low", Label: both("less than 50,000 €", "moins de 50 000 €")}, {Value: "high", Label: both("50,000 € or more", "50 000 € ou plus")},
				}},
				{ID: "relation", Type: study.YesNo, Required: true, Ask: both("Are you a student or employee of this university or of a partner brand?", "Êtes-vous étudiant ou salarié de cette université ou d’une marque partenaire ?")},
			},
			Go: goOn,
		},
		{
			ID: "rate.sam", Kind: study.RatingSheet, Heading: both("How did you feel during the video?", "Que ressentiez-vous pendant la vidéo ?"),
			Fields: []study.Field{
				{ID: "sam.valence", Type: study.SAM, Dimension: "valence", Points: 9, Required: true, Ask: both("Unpleasant or pleasant?", "Désagréable ou agréable ?")},
				{ID: "sam.arousal", Type: study.SAM, Dimension: "arousal", Points: 9, Required: true, Ask: both("Calm or excited?", "Calme ou en éveil ?")},
				{ID: "sam.dominance", Type: study.SAM, Dimension: "dominance", Points: 5, Required: true, Ask: both("Overwhelmed or in control?", "Dépassé ou maître de la situation ?")},
			},
			Go: goOn,
		},
		{
			ID: "rate.grid", Kind: study.RatingSheet, Heading: both("How did you feel?", "Que ressentiez-vous ?"),
			Fields: []study.Field{{ID: "grid", Type: study.AffectGrid, Points: 9, Required: true, Ask: both("Choose the cell that is nearest to how you felt.", "Choisissez la case la plus proche de ce que vous ressentiez.")}},
			Go:     goOn,
		},
		{
			ID: "form.exit", Kind: study.FormSheet, Heading: both("About the videos", "À propos des vidéos"),
			Fields: []study.Field{
				{ID: "liked", Type: study.Likert, Points: 7, Required: true, Ask: both("I liked this video.", "J’ai aimé cette vidéo."), Low: both("not at all", "pas du tout"), High: both("very much", "beaucoup")},
				{ID: "share", Type: study.VAS, Required: true, Ask: both("How likely is it that you share it?", "Est-il probable que vous la partagiez ?"), Low: both("impossible", "impossible"), High: both("certain", "certain")},
				{ID: "remarks", Type: study.FreeText, Ask: both("Anything else?", "Autre chose ?")},
			},
			Go: goOn,
		},
		{
			ID: "debrief", Kind: study.DebriefSheet, Heading: both("What this was about", "De quoi il s’agissait"),
			Body: text("We wanted to know which videos move people.", "Nous voulions savoir quelles vidéos émeuvent."), Go: goOn,
		},
		{
			ID: "receipt", Kind: study.ReceiptSheet, Heading: both("Your receipt", "Votre reçu"),
			Body: text("Please photograph or print this page.", "Photographiez ou imprimez cette page."), Go: both("Done", "Terminé"),
		},
		{
			ID: "leave", Kind: study.LeaveSheet, Heading: both("You have stopped", "Vous avez arrêté"),
			Fields: []study.Field{{ID: "leave", Type: study.Choice, Required: true, Ask: both("What is to become of what was recorded?", "Que doit devenir ce qui a été enregistré ?"), Options: []study.Option{
				{Value: "keep", Label: both("It may be kept.", "Cela peut être conservé.")}, {Value: "delete", Label: both("Erase everything.", "Tout effacer.")},
			}}},
			Go: goOn,
		},
		{
			ID: "exit.consent", Kind: study.ExitSheet, Heading: both("Thank you", "Merci"),
			Body: text("Nothing was recorded. Your compensation is yours all the same.", "Rien n’a été enregistré. Votre indemnité vous est due."), Go: goOn,
		},
	}
}

// plainSteps are the steps of a plan, numbered.
func plainSteps(steps ...study.Step) study.Plan {
	for i := range steps {
		steps[i].Index = i
	}
	return study.Plan{Steps: steps}
}

// fill is a step that shows a sheet; aside is one to which somebody has to be sent.
func fill(sheet string) study.Step { return study.Step{Action: study.Fill, Sheet: sheet} }

func aside(sheet string) study.Step {
	return study.Step{Action: study.Fill, Sheet: sheet, Aside: true}
}

// paged is a study with all pages, in both languages, and without stimuli.
func paged() *study.Study {
	return &study.Study{ID: "pages", Languages: []string{"en", "fr"}, Sheets: pages()}
}

// shows waits until the page shows a sheet of that heading.
func shows(page *browsertest.Page, heading string) {
	page.Until(fmt.Sprintf(`document.body.dataset.view === "sheet" && document.getElementById("sheet-heading").textContent === %q`, heading))
}

// stroke presses a key as a keyboard does, with its default action.
func stroke(page *browsertest.Page, keys string) { page.Do(chromedp.KeyEvent(keys)) }

// receiptOfTests is what a participant of these tests takes away.
func receiptOfTests() session.Receipt {
	return session.Receipt{
		Code: "K7QF-2M9T-XW4R", Study: "Videos of the sea", Session: "20261122-091503-P7K2", Scopes: []string{"traces"}, Refused: []string{"face_video"},
		Until: []session.Limit{
			{Class: "traces", Until: time.Date(2028, 11, 22, 0, 0, 0, 0, time.UTC)},
			{Class: "face_video"}, {Class: "identity", AfterPayment: 30},
		},
	}
}

// axe is the accessibility checker. The test is skipped where it is not installed.
func axe(t *testing.T) string {
	t.Helper()
	source, err := os.ReadFile(filepath.Join("node_modules", "axe-core", "axe.min.js"))
	if err != nil {
		t.Skip("axe-core is not installed: npm ci --prefix studies/stage")
	}
	return string(source)
}

// accessible looks for serious and critical faults of what the page shows.
func accessible(t *testing.T, page *browsertest.Page, source, what string) {
	t.Helper()
	if !browsertest.Value[bool](page, `typeof globalThis.axe === "object"`) {
		browsertest.Value[bool](page, source+"; true")
	}
	faults := browsertest.Value[[]string](page, `axe.run(document, {resultTypes: ["violations"]}).then((r) => r.violations
		.filter((v) => v.impact === "serious" || v.impact === "critical")
		.map((v) => v.impact + " " + v.id + ": " + v.help + ": " + v.nodes.map((n) => n.html.slice(0, 120) + " " + n.failureSummary).join(" | ")))`)
	for _, f := range faults {
		t.Errorf("%s: %s", what, f)
	}
}

// size is that of a page that participants may have, in CSS pixels.
type size struct{ width, height int64 }

func (s size) String() string { return fmt.Sprintf("%dx%d", s.width, s.height) }

// sizes are a phone, a screen that stands upright, and a wide one.
var sizes = []size{{390, 844}, {1080, 1920}, {2560, 1440}}

// pictures keeps screenshots of what the page shows in every size, and with the
// preference for light and for dark, which makes no difference.
func pictures(t *testing.T, page *browsertest.Page, name string) {
	t.Helper()
	if browsertest.ScreenshotFolder() == "" {
		return
	}
	for _, s := range sizes {
		for _, scheme := range []string{"light", "dark"} {
			page.Do(chromedp.EmulateViewport(s.width, s.height), prefers(scheme))
			page.Screenshot(strings.Join([]string{"page", name, s.String(), scheme}, "-") + ".png")
		}
	}
	page.Do(chromedp.EmulateViewport(1280, 800))
}

// prefers asks for a scheme of colours.
func prefers(scheme string) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, tab *chromedp.Target) error {
		_, err := cdp.Call(ctx, tab, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
		})
		return err
	})
}

// media shows the page as it comes out on another medium.
func media(kind string) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, tab *chromedp.Target) error {
		_, err := cdp.Call(ctx, tab, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: kind})
		return err
	})
}

// pixels writes what the page shows as bytes of red, green, blue and alpha, and returns
// its size.
func pixels(t *testing.T, page *browsertest.Page, file string) (width, height int) {
	t.Helper()
	shot, err := png.Decode(bytes.NewReader(page.Picture()))
	if err != nil {
		t.Fatal(err)
	}
	rgba := image.NewNRGBA(shot.Bounds())
	draw.Draw(rgba, rgba.Bounds(), shot, shot.Bounds().Min, draw.Src)
	if err := os.WriteFile(file, rgba.Pix, 0o600); err != nil {
		t.Fatal(err)
	}
	return rgba.Bounds().Dx(), rgba.Bounds().Dy()
}
