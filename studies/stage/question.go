package stage

import (
	"errors"
	"fmt"

	"emolab/fusion/instant"
	"emolab/studies/session"
	"emolab/studies/stage/protocol"
	"emolab/studies/study"
)

// faceVideo is the question about the video of the face, in each language. A
// word that is changed here is another text with another hash; the text that a
// participant has read stands in the recording, beside the answer.
func faceVideo() []protocol.Text {
	return []protocol.Text{
		protocol.NewText(protocol.Text{
			Language: "en",
			Heading:  "May we keep the video of your face?",
			Body: []string{
				"While you watch, a camera looks at your face and this computer writes down numbers about its expression. The pictures themselves are not kept, unless you allow it now.",
				"If you say yes, the video of your face is kept, without sound and on this computer only. It is used for one thing: to read your expression again later, with better methods.",
				"If you say no, nothing changes for you. The session goes on in the same way, and no picture is kept.",
				"You can take a yes back at any time, today or later, without giving a reason: tell the experimenter, and the video is deleted.",
			},
			Yes:  "Yes, keep my video",
			No:   "No, do not keep it",
			Hint: "Choose with the mouse or a finger, with the arrow keys and Enter, or with Y and N. Take all the time you want.",
		}),
		protocol.NewText(protocol.Text{
			Language: "fr",
			Heading:  "Pouvons-nous conserver la vidéo de votre visage ?",
			Body: []string{
				"Pendant que vous regardez, une caméra observe votre visage et cet ordinateur note des chiffres sur son expression. Les images elles-mêmes ne sont pas conservées, sauf si vous l’autorisez maintenant.",
				"Si vous dites oui, la vidéo de votre visage est conservée, sans le son et sur cet ordinateur uniquement. Elle sert à une seule chose : relire votre expression plus tard, avec de meilleures méthodes.",
				"Si vous dites non, rien ne change pour vous. La séance continue de la même façon, et aucune image n’est conservée.",
				"Vous pouvez retirer votre accord à tout moment, aujourd’hui ou plus tard, sans donner de raison : dites-le à l’expérimentateur, et la vidéo est supprimée.",
			},
			Yes:  "Oui, conservez ma vidéo",
			No:   "Non, ne la conservez pas",
			Hint: "Choisissez avec la souris ou le doigt, avec les flèches et Entrée, ou avec O et N. Prenez tout votre temps.",
		}),
	}
}

// question returns what is asked for a scope, in each language.
func question(scope string) ([]protocol.Text, error) {
	if scope != session.FaceVideo {
		return nil, fmt.Errorf("stage: the plan asks for consent to %q, for which there is no question", scope)
	}
	return faceVideo(), nil
}

// errNotAsked is an answer to something else than the question on the screen.
var errNotAsked = errors.New("an answer to another question")

// consent reads an answer to a step's question, which came at that instant, and
// returns the text that was read.
func consent(step study.Step, m *protocol.Answer, simulated bool, at instant.Instant) (session.Consent, protocol.Text, error) {
	if step.Action != study.Consent || m.Scope != step.Scope {
		return session.Consent{}, protocol.Text{}, errNotAsked
	}
	texts, err := question(step.Scope)
	if err != nil {
		return session.Consent{}, protocol.Text{}, err
	}
	for _, t := range texts {
		if t.Language != m.Language || t.SHA256 != m.TextSHA256 {
			continue
		}
		c := session.Consent{
			Scope: step.Scope, Granted: m.Granted, TextSHA256: t.SHA256, Language: t.Language,
			At: at, How: session.OnScreen,
		}
		if simulated || m.Simulated {
			c.How = session.Simulated
		}
		return c, t, nil
	}
	return session.Consent{}, protocol.Text{}, fmt.Errorf("%w: no text in %.20q has the hash %.64q", errNotAsked, m.Language, m.TextSHA256)
}
