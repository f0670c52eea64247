package stimulus

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"emolab/studies/browsertest"
	"emolab/studies/study"
)

// player plays a file as the stage does, from a blob, and says what came of it: how many
// frames were decoded, how many bytes of sound, and how much the picture in the middle
// of it varies, which is nothing where no picture is shown.
const player = `<!DOCTYPE html><title>player</title><link rel="icon" href="data:,"><body><script>
async function play(name) {
  const blob = await (await fetch(name)).blob();
  const v = document.createElement('video');
  v.muted = true;
  v.src = URL.createObjectURL(new Blob([blob], {type: 'video/mp4'}));
  document.body.replaceChildren(v);
  let contrast = 0;
  await new Promise((resolve) => {
    v.onended = resolve;
    v.onerror = resolve;
    v.ontimeupdate = () => {
      if (!v.videoWidth) return;
      const c = Object.assign(document.createElement('canvas'), {width: 16, height: 16}).getContext('2d');
      c.drawImage(v, 0, 0, 16, 16);
      const p = c.getImageData(0, 0, 16, 16).data;
      contrast = Math.max(contrast, Math.max(...p.filter((_, i) => i % 4 === 1)) - Math.min(...p.filter((_, i) => i % 4 === 1)));
    };
    v.play().catch(resolve);
  });
  return {frames: v.webkitDecodedFrameCount, sound: v.webkitAudioDecodedByteCount, width: v.videoWidth, height: v.videoHeight,
    contrast, error: v.error ? v.error.message : ''};
}
</script>`

type played struct {
	Frames, Sound, Width, Height, Contrast int
	Error                                  string
}

// Whatever is accepted is seen and heard in Chromium, whole; what is refused is refused
// in words.
func TestWhatIsAcceptedPlaysInChromium(t *testing.T) {
	tools(t)
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "player.html"), []byte(player), 0o600); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.FileServer(http.Dir(dir)))
	t.Cleanup(server.Close)
	vp9 := []string{"-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8"}
	av1 := []string{"-c:v", "libsvtav1", "-preset", "12"}
	page := browsertest.Start(t).Open(t, 640, 480)
	page.Go(server.URL + "/player.html")
	for i, c := range []struct {
		name, pixels string
		args         []string
		refused      string // "" = it is accepted
	}{
		{"H.264 Baseline, AAC", "yuv420p", with(h264, "-profile:v", "baseline", "-c:a", "aac"), ""},
		{"H.264 Main, MP3", "yuv420p", []string{"-c:v", "libx264", "-profile:v", "main", "-c:a", "libmp3lame"}, ""},
		{"H.264 High, Opus", "yuv420p", []string{"-c:v", "libx264", "-profile:v", "high", "-bf", "3", "-c:a", "libopus"}, ""},
		{"H.264 with a full range, FLAC", "yuvj420p", with(h264, "-c:a", "flac", "-strict", "-2"), ""},
		{"VP9, Opus", "yuv420p", with(vp9, "-c:a", "libopus"), ""},
		{"AV1, AAC", "yuv420p", with(av1, "-c:a", "aac"), ""},
		{"HEVC", "yuv420p", with(hevc, "-c:a", "aac"), "HEVC"},
		{"H.264, 10 bits", "yuv420p10le", with(h264, "-c:a", "aac"), "10 bits"},
		{"H.264, 4:2:2", "yuv422p", with(h264, "-c:a", "aac"), "studio profile"},
		{"VP9, 10 bits", "yuv420p10le", with(vp9, "-c:a", "aac"), "10 bits"},
		{"AV1, 10 bits", "yuv420p10le", with(av1, "-c:a", "aac"), "10 bits"},
		{"ProRes", "yuv422p10le", []string{"-c:v", "prores_ks", "-c:a", "aac"}, "ProRes"},
		{"MPEG-4 Part 2", "yuv420p", []string{"-c:v", "mpeg4", "-c:a", "aac"}, "MPEG-4 Part 2"},
		{"in fragments", "yuv420p", with(h264, "-c:a", "aac", "-movflags", "frag_keyframe+empty_moov"), "in fragments"},
		{"Dolby Digital", "yuv420p", with(h264, "-c:a", "ac3"), "Dolby Digital"},
		{"Apple Lossless", "yuv420p", with(h264, "-c:a", "alac"), "Apple Lossless"},
	} {
		t.Run(c.name, func(t *testing.T) {
			name := fmt.Sprintf("clip%d.mp4", i)
			if c.name == "ProRes" {
				name = fmt.Sprintf("clip%d.mov", i)
			}
			made := makeVideo(t, name, "testsrc2=s=160x120:r=25:d=0.4", "sine=frequency=440:d=0.4", with(c.args, "-pix_fmt", c.pixels)...)
			s, err := study.Measure(made)
			if c.refused != "" {
				if err == nil || !strings.Contains(err.Error(), c.refused) || !strings.Contains(err.Error(), "emolab study import --convert") {
					t.Errorf("%v, want %q and what to do", err, c.refused)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if err := os.Rename(made, filepath.Join(dir, name)); err != nil {
				t.Fatal(err)
			}
			got := browsertest.Value[played](page, "play('"+name+"')")
			if got.Frames != len(s.FrameTimes) || got.Width != s.Width || got.Height != s.Height || got.Sound == 0 || got.Contrast < 50 || got.Error != "" {
				t.Errorf("%d frames of %d x %d px with %s came out as %+v", len(s.FrameTimes), s.Width, s.Height, s.Sound, got)
			}
		})
	}
}
