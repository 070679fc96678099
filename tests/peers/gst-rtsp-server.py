#!/usr/bin/python3
"""RTSP server made of GStreamer's gst-rtsp-server, as a peer that shares no code with the camera simulator.

Every mount plays one H.264 or H.265 MP4 file for ever: the coded pictures are read once, unchanged, and pushed live with
timestamps that go on across the end of the file. All clients of a mount share one stream.

usage: gst-rtsp-server.py [--port N] [--user NAME --password WORD] --mount NAME=FILE [--mount NAME=FILE ...]
Prints {"port": N} as one line when it listens; port 0 takes a free one. SIGTERM or SIGINT ends it.
Debian: gir1.2-gst-rtsp-server-1.0 gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-plugins-bad python3-gi
"""

import argparse
import json
import signal
import sys

import gi

for namespace in ("Gst", "GstApp", "GstRtsp", "GstRtspServer"):
    gi.require_version(namespace, "1.0")
from gi.repository import GLib, Gst, GstApp, GstRtsp, GstRtspServer  # noqa: E402, F401 (GstApp gives appsrc its methods)

ROLE = "viewer"
# How long to wait for a picture before looking whether the pipeline has failed, ns.
READ_STEP = 20_000_000


class Recording:
    """The coded pictures of a file with times that start at 0, and the length of one loop; all times in ns."""

    def __init__(self, path):
        self.caps = None
        self.pictures = []
        errors = []
        for codec in ("h264", "h265"):
            try:
                self._read(path, codec)
            except RuntimeError as error:
                errors.append(str(error))
            if self.pictures:
                break
        else:
            raise SystemExit(f'cannot read "{path}": {"; ".join(errors)}')
        self.codec = codec
        start = min(pts for _, pts, _ in self.pictures)
        self.pictures = [(data, pts - start, dts - start) for data, pts, dts in self.pictures]
        shown = sorted(pts for _, pts, _ in self.pictures)
        intervals = sorted(b - a for a, b in zip(shown, shown[1:])) or [Gst.SECOND // 25]
        self.duration = shown[-1] + intervals[len(intervals) // 2]

    def _read(self, path, codec):
        pipeline = Gst.parse_launch(
            f"filesrc name=file ! qtdemux ! {codec}parse config-interval=-1 ! "
            f"video/x-{codec},stream-format=byte-stream,alignment=au ! appsink name=sink sync=false max-buffers=8"
        )
        pipeline.get_by_name("file").set_property("location", path)
        sink = pipeline.get_by_name("sink")
        pipeline.set_state(Gst.State.PLAYING)
        try:
            while not sink.is_eos():
                sample = sink.try_pull_sample(READ_STEP)
                if sample is None:
                    failure = pipeline.get_bus().pop_filtered(Gst.MessageType.ERROR)
                    if failure is not None:
                        raise RuntimeError(f"{codec}: {failure.parse_error()[0].message}")
                    continue
                buffer = sample.get_buffer()
                if buffer.pts == Gst.CLOCK_TIME_NONE:
                    raise RuntimeError(f"a picture of {codec} has no time")
                dts = buffer.pts if buffer.dts == Gst.CLOCK_TIME_NONE else buffer.dts
                self.caps = sample.get_caps()
                self.pictures.append((buffer.extract_dup(0, buffer.get_size()), buffer.pts, dts))
        finally:
            pipeline.set_state(Gst.State.NULL)


class LoopFactory(GstRtspServer.RTSPMediaFactory):
    """Makes the one shared stream of a mount when its first client comes."""

    def __init__(self, recording, needs_sign_in):
        super().__init__()
        self._recording = recording
        self.set_shared(True)
        self.set_latency(0)
        self.set_protocols(GstRtsp.RTSPLowerTrans.TCP)
        codec = recording.codec
        self.set_launch(
            f"( appsrc name=source is-live=true format=time max-bytes=2097152 ! {codec}parse ! "
            f"rtp{codec}pay name=pay0 pt=96 config-interval=-1 )"
        )
        if needs_sign_in:
            permissions = GstRtspServer.RTSPPermissions.new()
            for permission in ("media.factory.access", "media.factory.construct"):
                permissions.add_permission_for_role(ROLE, permission, True)
            self.set_permissions(permissions)

    def do_configure(self, media):
        source = media.get_element().get_by_name_recurse_up("source")
        source.set_property("caps", self._recording.caps)
        source.connect("need-data", self._push, iter(self._endless()))
        GstRtspServer.RTSPMediaFactory.do_configure(self, media)

    def _endless(self):
        loop_start = 0
        # Decoding times of pictures that are shown out of order lie before 0 in the first loop: shift all by the most.
        delay = max(pts - dts for _, pts, dts in self._recording.pictures)
        while True:
            for data, pts, dts in self._recording.pictures:
                buffer = Gst.Buffer.new_wrapped(data)
                buffer.pts = loop_start + pts + delay
                buffer.dts = loop_start + dts + delay
                yield buffer
            loop_start += self._recording.duration

    @staticmethod
    def _push(source, _wanted_bytes, buffers):
        source.emit("push-buffer", next(buffers))


def require_digest(server, user, password):
    token = GstRtspServer.RTSPToken()
    token.set_string("media.factory.role", ROLE)
    auth = GstRtspServer.RTSPAuth()
    auth.set_supported_methods(GstRtsp.RTSPAuthMethod.DIGEST)
    auth.add_digest(user, password, token)
    server.set_auth(auth)


def decode_arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--user")
    parser.add_argument("--password")
    parser.add_argument("--mount", action="append", required=True, metavar="NAME=FILE")
    arguments = parser.parse_args()
    if (arguments.user is None) != (arguments.password is None):
        parser.error("--user and --password belong together")
    if any("=" not in mount for mount in arguments.mount):
        parser.error("a mount is NAME=FILE")
    return arguments


def main():
    arguments = decode_arguments()
    Gst.init(None)
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service(str(arguments.port))
    needs_sign_in = arguments.user is not None
    if needs_sign_in:
        require_digest(server, arguments.user, arguments.password)
    for mount in arguments.mount:
        name, path = mount.split("=", 1)
        server.get_mount_points().add_factory(f"/{name}", LoopFactory(Recording(path), needs_sign_in))
    if server.attach(None) == 0:
        raise SystemExit(f"cannot listen on port {arguments.port}")
    loop = GLib.MainLoop()
    for number in (signal.SIGTERM, signal.SIGINT):
        GLib.unix_signal_add(GLib.PRIORITY_DEFAULT, number, loop.quit)
    print(json.dumps({"port": server.get_bound_port()}), flush=True)
    loop.run()


if __name__ == "__main__":
    sys.exit(main())
