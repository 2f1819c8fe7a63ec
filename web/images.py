"""Images of the operator's, as files of our own origin."""

from werkzeug.wrappers import Response

from config.branding import Image


def send_image(image: Image, seconds: int) -> Response:
    """Send an image that anybody may keep. An SVG that is opened by itself is a document, so it
    runs in a sandbox: no script, and no part in our origin."""
    response = Response(image.data, mimetype=image.media_type)
    response.headers["Cache-Control"] = f"public, max-age={seconds}"
    response.headers["Content-Security-Policy"] = "sandbox"
    return response
