"""Tells which pictures of a stream are as they were recorded.

Damage spoils a picture and all that are built upon it, up to the next key picture; B-frames are shown before the
picture that they are built upon. So it takes the order of decoding to say which are sound, and a picture can be
believed only when as many more have come out as the decoder may show ahead of their turn. Damage is often noticed one
picture late, so the picture before is not believed either.
"""

from bisect import bisect_left, insort


class Soundness:
    """Notes of what breaks on the way through a stream. Packets are numbered in the order of decoding."""

    def __init__(self) -> None:
        self.packets = 0
        self.refused = 0  # of them, by the decoder, once there was a key picture
        self._keys: list[int] = []
        self._newest_shown_key = -1
        self._broken: list[int] = []

    def see_packet(self, keyframe: bool, incomplete: bool, after_hole: bool) -> int:
        """Counts a packet and returns its number. `after_hole`: something is missing before it."""
        number = self.packets
        self.packets += 1
        if keyframe:
            self._keys.append(number)
        if incomplete:
            insort(self._broken, number)
        if after_hole:
            self._break(number - 1 if keyframe else number)  # a key picture needs nothing of what was before it
        return number

    def see_refusal(self, number: int) -> None:
        """Takes note that the decoder refused a packet."""
        self._break(number)
        self.refused += self.has_begun(number)

    def see_picture(self, number: int, is_intra: bool, corrupt: bool) -> int:
        """Takes note of a picture that came out; returns the number of the first packet that it may be built upon.

        A key picture that is not coded by itself (gradual refresh) clears nothing. Pictures that are shown before
        their key picture may be built upon the key picture before it, too.
        """
        if is_intra and not self.has_begun(number):
            self._keys.insert(0, number)
        key_index = bisect_left(self._keys, number + 1) - 1
        if key_index >= 0 and self._keys[key_index] == number:
            if is_intra or key_index == 0:
                self._newest_shown_key = max(self._newest_shown_key, number)
            else:
                del self._keys[key_index]
                key_index -= 1
        if corrupt:
            self._break(number)
        if key_index > 0 and self._keys[key_index] > self._newest_shown_key:
            key_index -= 1
        return self._keys[key_index] if key_index >= 0 else 0

    def see_end(self) -> None:
        """Takes note that the last packet is incomplete."""
        insort(self._broken, self.packets - 1)

    def is_sound(self, number: int, root: int) -> bool:
        """Says whether nothing is broken from the packet `root` to the picture's own."""
        broken_index = bisect_left(self._broken, root)
        return broken_index == len(self._broken) or self._broken[broken_index] > number

    def has_begun(self, number: int) -> bool:
        """Tells whether a packet is not before the first key picture; what comes before it is no damage."""
        return bool(self._keys) and self._keys[0] <= number

    def _break(self, number: int) -> None:
        insort(self._broken, number)
        insort(self._broken, number - 1)
