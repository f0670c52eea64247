// What the participant reads, in the language of the browser.

const words = {
  en: {
    connecting: 'One moment, please.',
    waiting: 'Please wait until the experimenter begins.',
    fullScreen: 'Press any key or tap for full screen.',
    loading: 'The videos are being prepared.',
    begin: 'Press any key or tap to begin.',
    goOn: 'Press any key or tap to continue.',
    simulated: 'Simulated participant: the page answers by itself.',
    sensor: 'Put the light sensor here.',
    look: 'Look at the dot in the middle of the ring, and follow it with your eyes. Keep your head still.',
    ready: 'Press any key or tap when you are ready.',
    moment: 'One moment, please. Stay as you are.',
    breathe: 'Breathe in deeply now, hold it for a moment, and breathe out slowly.',
    rest: 'Thank you. Breathe as you like, and keep your hand still.',
    thanks: 'Thank you. This part is over.',
    busy: 'The stage is already open elsewhere.',
    takeOver: 'Press T to show it here instead.',
    refused: 'This page cannot be used as the stage.',
    failed: 'Something went wrong. Please call the experimenter.',
  },
  fr: {
    connecting: 'Un instant, s’il vous plaît.',
    waiting: 'Veuillez attendre le début de l’expérience.',
    fullScreen: 'Appuyez sur une touche ou touchez l’écran pour le plein écran.',
    loading: 'Les vidéos se préparent.',
    begin: 'Appuyez sur une touche ou touchez l’écran pour commencer.',
    goOn: 'Appuyez sur une touche ou touchez l’écran pour continuer.',
    simulated: 'Participant simulé : la page répond d’elle-même.',
    sensor: 'Posez le capteur de lumière ici.',
    look: 'Regardez le point au milieu de l’anneau et suivez-le des yeux. Gardez la tête immobile.',
    ready: 'Appuyez sur une touche ou touchez l’écran pour commencer.',
    moment: 'Un instant, s’il vous plaît. Restez comme vous êtes.',
    breathe: 'Inspirez profondément maintenant, retenez un instant, puis expirez lentement.',
    rest: 'Merci. Respirez comme vous voulez, sans bouger la main.',
    thanks: 'Merci. Cette partie est terminée.',
    busy: 'L’écran du participant est déjà ouvert ailleurs.',
    takeOver: 'Appuyez sur T pour l’afficher ici.',
    refused: 'Cette page ne peut pas servir d’écran du participant.',
    failed: 'Un problème est survenu. Veuillez appeler l’expérimentateur.',
  },
};

export const language = navigator.language.startsWith('fr') ? 'fr' : 'en';
document.documentElement.lang = language;

/** The words of the page's language. */
export default words[language];
