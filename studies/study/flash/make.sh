#!/bin/sh
# Makes the flash clip anew: make-flash.go draws the frames after the table in
# ../flash.go, ffmpeg encodes them as H.264. One encoder thread and the bitexact
# flags make the same ffmpeg give the same bytes.
#
# No B-frames, so that a decoder has nothing to reorder; no sound, so that the
# picture alone sets the pace; no deblocking, which would smear the cells.
set -eu
cd "$(dirname "$0")"

# The program that draws embeds the clip that is made here.
[ -e flash.mp4 ] || : >flash.mp4
go run make-flash.go >flash.grey
ffmpeg -hide_banner -loglevel error -y \
	-f rawvideo -pix_fmt gray -color_range pc -video_size 320x320 -framerate 30 -i flash.grey \
	-map_metadata -1 -fflags +bitexact -flags:v +bitexact \
	-vf scale=in_range=pc:out_range=tv:out_color_matrix=bt709 -colorspace bt709 -color_primaries bt709 -color_trc bt709 \
	-c:v libx264 -preset slow -crf 20 -pix_fmt yuv420p -threads 1 -bf 0 -g 30 -x264-params no-deblock=1 \
	-movflags +faststart flash.mp4
rm flash.grey
ls -l flash.mp4
