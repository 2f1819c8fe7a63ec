"""Ourselves as OpenID Provider: the endpoints of applications, and the pages of their people."""
