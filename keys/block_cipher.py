"""AES in cipher block chaining (NIST SP 800-38A), for providers that encrypt so. It authenticates
nothing: verify a MAC before."""

from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC

BLOCK_BITS = 128


def decrypt_cbc(key: bytes, iv: bytes, encrypted: bytes) -> bytes:
    """Decrypt a message with PKCS #7 padding. Raises ValueError."""
    decryptor = Cipher(AES(key), CBC(iv)).decryptor()
    padded = decryptor.update(encrypted) + decryptor.finalize()
    unpadder = padding.PKCS7(BLOCK_BITS).unpadder()
    return unpadder.update(padded) + unpadder.finalize()
