#!/bin/sh
# Makes the clips of the example study anew: make-clips.go draws the frames,
# ffmpeg encodes them as H.264 with a quiet tone in AAC. One encoder thread and
# the bitexact flags make the same ffmpeg give the same bytes.
#
# The sound ends a little before the picture, so that the video's length is the
# picture's. B-frames are left on: the frame table then has reordered times, as
# most clips from elsewhere do.
set -eu
cd "$(dirname "$0")"

clip() { # name, seconds, CRF (quality: lower is better and larger), tone in Hz
	sound=$(awk "BEGIN { print $2 - 0.1 }")
	go run make-clips.go "$1" | ffmpeg -hide_banner -loglevel error -y \
		-f rawvideo -pix_fmt rgb24 -video_size 360x640 -framerate 30 -i - \
		-f lavfi -i "aevalsrc=0.02*(sin(2*PI*$4*t)+0.5*sin(3*PI*$4*t))*min(1\,t)*min(1\,$sound-t):s=48000:d=$sound" \
		-map_metadata -1 -fflags +bitexact -flags:v +bitexact -flags:a +bitexact \
		-vf scale=out_color_matrix=bt709:out_range=tv -colorspace bt709 -color_primaries bt709 -color_trc bt709 \
		-c:v libx264 -preset slow -crf "$3" -pix_fmt yuv420p -threads 1 -g 60 \
		-c:a aac -b:a 32k -ac 1 \
		-movflags +faststart "stimuli/$1.mp4"
}

mkdir -p stimuli
clip silk 6 27 220
clip pleats 7 31 330
clip veil 8 29 165
clip velvet 5 28 247
ls -l stimuli
