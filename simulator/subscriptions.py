"""Twitch's EventSub: subscriptions, each of which sends a challenge to its callback first."""

import hashlib
import hmac
import json
import time
from typing import Any
from urllib.error import URLError
from urllib.request import Request, urlopen
from uuid import uuid4

from flask import Blueprint, Response, jsonify, request

from simulator.openid import OpenIDLookAlike
from simulator.protocol import Refusal

APP_TOKEN = "an-app-access-token"


class KeepsSubscriptions(OpenIDLookAlike):
    """A part of the fake Twitch."""

    @classmethod
    def settings(cls, url: str) -> dict[str, str]:
        own = {"TWITCH_EVENTSUB_URL": f"{url}/helix/eventsub/subscriptions"}
        return {**super().settings(url), **own}

    def routes(self) -> Blueprint:
        routes = super().routes()
        self.subscriptions: dict[str, dict[str, Any]] = {}
        path = "/helix/eventsub/subscriptions"
        methods = ["GET", "POST", "DELETE"]
        routes.add_url_rule(path, "subscriptions", self.answer_subscriptions, methods=methods)
        return routes

    def answer_token_request(self) -> Response | tuple[Response, int]:
        if request.form.get("grant_type") != "client_credentials":
            return super().answer_token_request()
        try:
            self.authenticate(request.form)
        except Refusal as refusal:
            return self.refuse(refusal)
        return jsonify(access_token=APP_TOKEN, token_type="bearer", expires_in=5000000)

    def answer_subscriptions(self) -> Any:
        is_app = request.headers.get("Authorization") == f"Bearer {APP_TOKEN}"
        if not is_app or request.headers.get("Client-Id") != self.client.client_id:
            return jsonify(status=401, message="Invalid OAuth token"), 401
        if request.method == "POST":
            return self._subscribe(request.get_json())
        if request.method == "DELETE":
            found = self.subscriptions.pop(request.args["id"], None)
            return ("", 204) if found else (jsonify(message="not found"), 404)
        return jsonify(data=list(self.subscriptions.values()))

    def _subscribe(self, asked: dict[str, Any]) -> tuple[Response, int]:
        secret = asked["transport"].pop("secret")
        if any(each["transport"] == asked["transport"] for each in self.subscriptions.values()):
            return jsonify(status=409, message="subscription already exists"), 409
        new_id = uuid4().hex
        failed = "webhook_callback_verification_failed"
        status = "enabled" if self._is_answered(asked["transport"], secret) else failed
        self.subscriptions[new_id] = {**asked, "id": new_id, "status": status}
        return jsonify(data=[self.subscriptions[new_id]]), 202

    @staticmethod
    def _is_answered(transport: dict[str, str], secret: str) -> bool:
        challenge, key = uuid4().hex, uuid4().hex
        body = json.dumps({"challenge": challenge}).encode()
        at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        signed = hmac.new(secret.encode(), key.encode() + at.encode() + body, hashlib.sha256)
        name = "Twitch-Eventsub-Message-"
        headers = {
            "Content-Type": "application/json",
            f"{name}Id": key,
            f"{name}Timestamp": at,
            f"{name}Signature": f"sha256={signed.hexdigest()}",
            f"{name}Type": "webhook_callback_verification",
        }
        call = Request(transport["callback"], body, headers)
        try:
            with urlopen(call, timeout=10) as answer:
                return bool(answer.read() == challenge.encode())
        except URLError:
            return False
