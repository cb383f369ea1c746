"""Reading video: exact times, and pictures as shown."""

import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
import videos
from av.video.reformatter import ColorRange, Colorspace

from vigil.core.errors import Rejected
from vigil.footage.video import decoding
from vigil.footage.video.reading import Frame, probe, read_frames
from vigil.footage.video.writing import VideoWriter

CONTAINERS = [
    ("a.mp4", "libx264"),
    ("a.mkv", "libx264"),
    ("a.avi", "mpeg4"),
    ("b.avi", "libx264"),
    ("a.ts", "libx264"),
    ("a.mpg", "mpeg2video"),
    ("a.mov", "mjpeg"),
    ("a.flv", "libx264"),
    ("a.webm", "libvpx"),
]
REORDERED = {"bf": "3", "preset": "veryfast"}  # B-frames: decoded in another order than shown


def numbers(frames: list[Frame]) -> list[int]:
    return [videos.number(frame.image) for frame in frames]


@pytest.mark.parametrize(("name", "codec"), CONTAINERS)
def test_every_frame_comes_once_in_order_and_on_time(name: str, codec: str, tmp_path: Path) -> None:
    path = videos.film(tmp_path / name, fps=25, codec=codec, options=REORDERED if codec == "libx264" else None)
    frames = list(read_frames(path))
    assert numbers(frames) == list(range(20))
    assert [frame.index for frame in frames] == list(range(20))
    assert [frame.time_s for frame in frames] == [Fraction(number, 25) for number in range(20)]
    measured = probe(path)
    assert (measured.fps, measured.frames, measured.duration_s) == (25, 20, Fraction(20, 25))


@pytest.mark.parametrize("fps", [Fraction(30000, 1001), Fraction(25, 2), Fraction(2997, 100), Fraction(7)])
def test_times_of_an_odd_rate_are_exact_fractions(fps: Fraction, tmp_path: Path) -> None:
    path = videos.film(tmp_path / "a.mp4", fps=fps)
    assert [frame.time_s for frame in read_frames(path)] == [number / fps for number in range(20)]
    assert probe(path).fps == fps
    assert probe(path).duration_s == 20 / fps


def test_a_rate_that_millisecond_stamps_blur_is_named_rightly(tmp_path: Path) -> None:
    path = videos.film(tmp_path / "a.mkv", frames=60, fps=Fraction(30000, 1001))
    assert probe(path).fps == Fraction(30000, 1001)


def test_a_variable_rate_keeps_its_times_and_has_its_mean_as_fps(tmp_path: Path) -> None:
    times = [Fraction(number * number, 100) for number in range(20)]  # 0, 0.01, 0.04, ... 3.61 s
    path = videos.film(tmp_path / "a.mp4", times=times)
    frames = list(read_frames(path))
    assert [frame.time_s for frame in frames] == times
    assert numbers(frames) == list(range(20))
    assert probe(path).fps == Fraction(5263, 1000)  # 19 steps in 3.61 s


def test_a_video_that_starts_late_starts_at_zero(tmp_path: Path) -> None:
    path = videos.film(tmp_path / "a.ts", times=[Fraction(100) + Fraction(number, 10) for number in range(20)])
    assert [frame.time_s for frame in read_frames(path)][:2] == [0, Fraction(1, 10)]


@pytest.mark.parametrize("mirror", [False, True])
@pytest.mark.parametrize("turn", [0, 90, 180, 270])
def test_a_picture_comes_as_the_file_asks_to_show_it(turn: int, mirror: bool, tmp_path: Path) -> None:
    path = videos.film(tmp_path / "a.mp4", turn=turn, mirror=mirror)
    expected = np.rot90(videos.picture(7), turn // 90)  # counterclockwise, then mirrored
    expected = expected[:, ::-1] if mirror else expected
    image = list(read_frames(path))[7].image
    assert image.shape == expected.shape
    assert np.abs(image.astype(int) - expected).mean() < 6
    assert (probe(path).width, probe(path).height) == (image.shape[1], image.shape[0])


def test_opencv_turns_the_same_way(tmp_path: Path) -> None:
    path = videos.film(tmp_path / "a.mp4", turn=90)
    done, other = cv2.VideoCapture(str(path)).read()
    assert done
    assert np.abs(next(read_frames(path)).image.astype(int) - other[..., ::-1]).mean() < 3


def test_size_px_shrinks_the_shorter_side_and_never_enlarges(tmp_path: Path) -> None:
    path = videos.film(tmp_path / "a.mp4", size=(128, 72))
    assert next(read_frames(path, size_px=36)).image.shape == (36, 64, 3)
    assert next(read_frames(path, size_px=40)).image.shape == (40, 72, 3)  # 71.1 px: the nearest even number
    assert next(read_frames(path, size_px=72)).image.shape == (72, 128, 3)
    assert next(read_frames(path, size_px=500)).image.shape == (72, 128, 3)
    assert numbers(list(read_frames(path, size_px=36))) == list(range(20))
    turned = videos.film(tmp_path / "b.mp4", size=(128, 72), turn=90)
    assert next(read_frames(turned, size_px=36)).image.shape == (64, 36, 3)


@pytest.mark.parametrize("size_px", [None, 24])
@pytest.mark.parametrize("colour", [(255, 0, 0), (40, 80, 200), (255, 255, 255), (10, 10, 10)])
@pytest.mark.parametrize("spread", [ColorRange.MPEG, ColorRange.JPEG])
@pytest.mark.parametrize("matrix", [Colorspace.ITU601, Colorspace.ITU709])
def test_colours_are_right_whatever_the_file_codes_them_in(
    matrix: Colorspace, spread: ColorRange, colour: tuple[int, int, int], size_px: int | None, tmp_path: Path
) -> None:
    with av.open(str(tmp_path / "a.mp4"), "w") as file:
        stream = file.add_stream("libx264", rate=10, options={"crf": "1", "preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.codec_context.colorspace, stream.codec_context.color_range = matrix, spread
        frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), colour, np.uint8), format="rgb24")
        file.mux(stream.encode(frame.reformat(format="yuv420p", dst_colorspace=matrix, dst_color_range=spread)))
        file.mux(stream.encode(None))
    image = next(read_frames(tmp_path / "a.mp4", size_px)).image
    assert np.abs(image.astype(int) - colour).max() <= 3


def test_odd_sizes_keep_every_pixel(tmp_path: Path) -> None:
    path = videos.film(tmp_path / "a.mkv", size=(65, 47), codec="ffv1", pixels="yuv444p")
    assert (probe(path).width, probe(path).height) == (65, 47)
    frames = list(read_frames(path))
    assert frames[3].image.shape == (47, 65, 3)
    assert np.abs(frames[3].image.astype(int) - videos.picture(3, (65, 47))).mean() < 2  # no smear at the right edge


def test_reading_twice_gives_the_same_pictures(tmp_path: Path) -> None:
    for name in ("a.mp4", "a.avi"):
        path = videos.film(tmp_path / name, size=(66, 50), options=REORDERED)
        once, again = list(read_frames(path)), list(read_frames(path))
        assert [frame.time_s for frame in again] == [frame.time_s for frame in once]
        assert all((a.image == b.image).all() for a, b in zip(once, again, strict=True))


def test_wanted_is_asked_once_per_frame_in_order(tmp_path: Path) -> None:
    asked: list[Fraction] = []

    def every_third(time_s: Fraction) -> bool:
        asked.append(time_s)
        return len(asked) % 3 == 1

    frames = list(read_frames(videos.film(tmp_path / "a.mp4", options=REORDERED), is_due=every_third))
    assert asked == [Fraction(number, 10) for number in range(20)]
    assert [frame.index for frame in frames] == numbers(frames) == [0, 3, 6, 9, 12, 15, 18]


@pytest.mark.parametrize("name", ["-dash.mp4", 'sp ace\'s "q".mp4', "ünï 映像.mp4", "percent %03d.mp4", "a:b.mp4"])
def test_any_name_will_do(name: str, tmp_path: Path) -> None:
    videos.film(tmp_path / name)
    assert probe(Path(name)).frames == 20  # the current folder is tmp_path
    assert len(list(read_frames(Path(name)))) == 20


def test_the_extension_does_not_matter(tmp_path: Path) -> None:
    path = videos.film(tmp_path / "a.mkv").rename(tmp_path / "a.mp4")
    assert probe(path).frames == 20


def test_a_longer_sound_track_is_no_matter(tmp_path: Path) -> None:
    for name in ("a.mp4", "a.mkv"):
        measured = probe(videos.film(tmp_path / name, sound_s=3))
        assert (measured.frames, measured.duration_s) == (20, 2)


def test_8k_works(tmp_path: Path) -> None:
    path = videos.huge(tmp_path / "a.mp4")
    assert (probe(path).width, probe(path).height) == (7680, 4320)
    frames = list(read_frames(path, size_px=240))
    assert frames[0].image.shape == (240, 426, 3)
    assert numbers(frames) == [0, 1]


def test_what_is_beyond_8k_is_refused_before_it_fills_the_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = videos.film(tmp_path / "a.mp4")
    monkeypatch.setattr(decoding, "LARGEST_PX", 64 * 48 - 1)
    with pytest.raises(Rejected, match="64x48 px: larger than"):
        probe(path)
    monkeypatch.setattr(decoding, "LARGEST_PX", 64 * 48)
    assert probe(path).frames == 20


def test_a_folder_of_images_is_a_video(tmp_path: Path) -> None:
    folder = videos.images(tmp_path / "f", [3, 4, 5, 8, 9, 10, 11])
    measured = probe(folder, fps=Fraction(5))
    assert (measured.fps, measured.frames, measured.duration_s) == (5, 7, Fraction(9, 5))
    frames = list(read_frames(folder, size_px=24, is_due=lambda time_s: time_s > 0, fps=Fraction(5)))
    assert numbers(frames) == [4, 5, 8, 9, 10, 11]
    assert [frame.index for frame in frames] == [1, 2, 3, 4, 5, 6]
    assert [frame.time_s * 5 for frame in frames] == [1, 2, 5, 6, 7, 8]  # 6 and 7 are missing, time passes
    assert frames[0].image.shape == (24, 32, 3)


def test_only_what_is_read_of_a_folder_is_decoded(tmp_path: Path) -> None:
    folder = videos.images(tmp_path / "f", range(4))
    (folder / "frame_3.png").write_bytes(b"broken")
    assert len(list(read_frames(folder, is_due=lambda time_s: time_s < Fraction(3, 10)))) == 3
    with pytest.raises(Rejected, match=r"frame_3.png: not an image"):
        list(read_frames(folder))


@pytest.mark.slow
def test_memory_does_not_grow_with_length(tmp_path: Path) -> None:
    """Peak memory of a process that probes 20 s and 20 minutes of 320x240 and stores all of their frames."""
    script = """if True:
        import resource, sys
        from pathlib import Path
        from vigil.features.frames import encode_jpeg, save_frames
        from vigil.footage.video.reading import probe, read_frames
        path = Path(sys.argv[1])
        probe(path)
        frames = ((f.index, f.time_s, encode_jpeg(f.image, 90)) for f in read_frames(path, 200))
        save_frames(Path("a.npz"), frames, (320, 240))
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
    """
    peaks = []
    for frames in (200, 12000):
        with VideoWriter(tmp_path / f"{frames}.mp4", Fraction(10), (320, 240)) as video:
            for number in range(frames):
                video.write(videos.picture(number, (320, 240)))
        done = subprocess.run(
            [sys.executable, "-c", script, str(tmp_path / f"{frames}.mp4")], capture_output=True, text=True, check=True
        )
        peaks.append(int(done.stdout))
    assert peaks[1] < peaks[0] + 40_000  # kB; of JPEG alone there are 45 MB, of which 16 MB may be held
