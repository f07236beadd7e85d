using System.Security.Cryptography;

namespace Bascule.Replication.Wire;

/// <summary>Why a handshake came to nothing.</summary>
internal enum HandshakeFailure
{
    /// <summary>Not a message of this protocol, or one that does not belong here (our own, sent back).</summary>
    NotOurs,

    /// <summary>A version that is not spoken here.</summary>
    OtherVersion,

    /// <summary>The other side does not have the key, or is not who it should be.</summary>
    WrongKey,

    /// <summary>What should be a point of the curve is none.</summary>
    NoPoint,
}

/// <summary>
/// The first three messages of a connection. Both sides bring a fresh key (ECDH on P-256), so that who learns the pair's key later cannot read what was
/// recorded, and prove that they have the pair's key.
/// </summary>
/// <remarks>
/// <code>
/// hello, answer   "BASC" | version | kind | 32 random bytes | 64 bytes: the point's X and Y | 32 bytes: proof
/// finish          "BASC" | version | kind | 32 bytes: proof
/// </code>
/// </remarks>
internal static class Handshake
{
    public const byte Version = 1;

    /// <summary>Bytes of a hello and of an answer.</summary>
    public const int HelloLength = HeadLength + NonceLength + PointLength + ProofLength;

    /// <summary>Bytes of a finish.</summary>
    public const int FinishLength = HeadLength + ProofLength;

    private const int HeadLength = 6;
    private const int NonceLength = 32;
    private const int PointLength = 64;
    private const int ProofLength = 32;

    private enum Kind : byte
    {
        Hello = 1,
        Answer = 2,
        Finish = 3,
    }

    /// <summary>The side that opened the connection.</summary>
    public sealed class Dialer : IDisposable
    {
        private readonly ChannelIdentity _identity;
        private readonly ECDiffieHellman _own = ECDiffieHellman.Create(ECCurve.NamedCurves.nistP256);

        public Dialer(ChannelIdentity identity)
        {
            _identity = identity;
            byte[] open = Open(Kind.Hello, _own);
            Hello = [.. open, .. identity.ProveHello(open)];
        }

        /// <summary>To be sent first.</summary>
        public byte[] Hello { get; }

        /// <summary>The listener has answered.</summary>
        /// <param name="finish">To be sent; then records may follow.</param>
        public HandshakeFailure? Hear(ReadOnlySpan<byte> answer, out byte[] finish, out ChannelSecrets? secrets)
        {
            (finish, secrets) = ([], null);
            if (Misfit(answer, Kind.Answer, HelloLength) is { } misfit)
                return misfit;
            if (Agreed(_own, answer) is not { } agreed)
                return HandshakeFailure.NoPoint;
            ChannelSecrets shared = _identity.Agree(agreed, Hello, answer[..^ProofLength]);
            if (!CryptographicOperations.FixedTimeEquals(answer[^ProofLength..], shared.ListenerProof))
                return HandshakeFailure.WrongKey;
            (finish, secrets) = ([.. Head(Kind.Finish), .. shared.DialerProof], shared);
            return null;
        }

        public void Dispose() => _own.Dispose();
    }

    /// <summary>The side that was called.</summary>
    public sealed class Listener(ChannelIdentity identity)
    {
        private ChannelSecrets? _secrets;

        /// <summary>Somebody said hello.</summary>
        /// <param name="answer">To be sent.</param>
        public HandshakeFailure? Hear(ReadOnlySpan<byte> hello, out byte[] answer)
        {
            answer = [];
            if (Misfit(hello, Kind.Hello, HelloLength) is { } misfit)
                return misfit;
            if (!CryptographicOperations.FixedTimeEquals(hello[^ProofLength..], identity.ProveHello(hello[..^ProofLength])))
                return HandshakeFailure.WrongKey;
            using ECDiffieHellman own = ECDiffieHellman.Create(ECCurve.NamedCurves.nistP256);
            if (Agreed(own, hello) is not { } agreed)
                return HandshakeFailure.NoPoint;
            byte[] open = Open(Kind.Answer, own);
            _secrets = identity.Agree(agreed, hello, open);
            answer = [.. open, .. _secrets.ListenerProof];
            return null;
        }

        /// <summary>The dialer has finished: it is there now, and no recording of it.</summary>
        /// <param name="secrets">Those of the connection; null unless it has proved itself.</param>
        public HandshakeFailure? Confirm(ReadOnlySpan<byte> finish, out ChannelSecrets? secrets)
        {
            secrets = null;
            if (Misfit(finish, Kind.Finish, FinishLength) is { } misfit)
                return misfit;
            if (_secrets is null || !CryptographicOperations.FixedTimeEquals(finish[^ProofLength..], _secrets.DialerProof))
                return HandshakeFailure.WrongKey;
            secrets = _secrets;
            return null;
        }
    }

    private static byte[] Head(Kind kind) => [.. "BASC"u8, Version, (byte)kind];

    private static byte[] Open(Kind kind, ECDiffieHellman own)
    {
        ECPoint point = own.ExportParameters(includePrivateParameters: false).Q;
        return [.. Head(kind), .. RandomNumberGenerator.GetBytes(NonceLength), .. point.X!, .. point.Y!];
    }

    private static HandshakeFailure? Misfit(ReadOnlySpan<byte> message, Kind kind, int length)
    {
        if (message.Length != length || !message.StartsWith("BASC"u8))
            return HandshakeFailure.NotOurs;
        if (message[4] != Version)
            return HandshakeFailure.OtherVersion;
        return message[5] == (byte)kind ? null : HandshakeFailure.NotOurs;
    }

    /// <summary>What the two keys agree on; null when the other's is not on the curve.</summary>
    private static byte[]? Agreed(ECDiffieHellman own, ReadOnlySpan<byte> message)
    {
        ReadOnlySpan<byte> point = message.Slice(HeadLength + NonceLength, PointLength);
        try
        {
            using ECDiffieHellman other = ECDiffieHellman.Create(new ECParameters
            {
                Curve = ECCurve.NamedCurves.nistP256,
                Q = new() { X = point[..32].ToArray(), Y = point[32..].ToArray() },
            });
            return own.DeriveRawSecretAgreement(other.PublicKey);
        }
        catch (CryptographicException)
        {
            return null;
        }
    }
}
