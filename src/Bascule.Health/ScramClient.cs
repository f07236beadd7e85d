using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Bascule.Health;

/// <summary>Logs in by SCRAM-SHA-256, without channel binding. RFC 5802, RFC 7677.</summary>
/// <remarks>The password is used as it is: one of characters beyond ASCII would first have to be prepared by RFC 4013.</remarks>
internal sealed class ScramClient(string password)
{
    /// <summary>As protocols name it.</summary>
    public const string Mechanism = "SCRAM-SHA-256";

    // The cost of a check, were a server to ask for more: about 50 ms of a core. PostgreSQL's default is 4,096.
    private const int MostIterations = 100_000;

    private (string Salt, int Iterations, byte[] Salted)? _known;

    /// <summary>Begins to log in.</summary>
    public ScramExchange Begin() => new(this, Convert.ToBase64String(RandomNumberGenerator.GetBytes(18)));

    /// <summary>Hi() of RFC 5802 §2.2, remembered: it is dear, and between two checks nothing of it changes.</summary>
    /// <returns>Null when the salt or the number is not one.</returns>
    public byte[]? Salted(string salt, string iterations)
    {
        if (!int.TryParse(iterations, NumberStyles.None, CultureInfo.InvariantCulture, out int count) || count is < 1 or > MostIterations)
            return null;
        byte[] bytes = new byte[salt.Length];
        if (!Convert.TryFromBase64String(salt, bytes, out int length))
            return null;
        if (_known is not { } known || known.Salt != salt || known.Iterations != count)
            _known = known = (salt, count, Rfc2898DeriveBytes.Pbkdf2(Encoding.UTF8.GetBytes(password), bytes.AsSpan(0, length), count, HashAlgorithmName.SHA256, SHA256.HashSizeInBytes));
        return known.Salted;
    }
}

/// <summary>One login.</summary>
internal sealed class ScramExchange(ScramClient client, string nonce)
{
    private byte[] _proof = [];

    /// <summary>client-first-message. The user is named elsewhere.</summary>
    public string First => $"n,,{Bare}";

    private string Bare => $"n=,r={nonce}";

    /// <summary>The client-final-message to a server-first-message.</summary>
    /// <returns>Null when it is none.</returns>
    public string? Answer(string said)
    {
        string[] parts = said.Split(',');
        if (parts is not [['r', '=', .. var both], ['s', '=', .. var salt], ['i', '=', .. var iterations], ..] || !both.StartsWith(nonce, StringComparison.Ordinal))
            return null;
        if (client.Salted(salt, iterations) is not { } salted)
            return null;
        string withoutProof = $"c=biws,r={both}"; // biws: "n,,"
        byte[] everything = Encoding.UTF8.GetBytes($"{Bare},{said},{withoutProof}");
        byte[] clientKey = HMACSHA256.HashData(salted, "Client Key"u8);
        byte[] signature = HMACSHA256.HashData(SHA256.HashData(clientKey), everything);
        for (int i = 0; i < clientKey.Length; i++)
            clientKey[i] ^= signature[i];
        _proof = HMACSHA256.HashData(HMACSHA256.HashData(salted, "Server Key"u8), everything);
        return $"{withoutProof},p={Convert.ToBase64String(clientKey)}";
    }

    /// <summary>Whether the server-final-message shows that it knows the password, too.</summary>
    public bool IsProof(string said) => said.Split(',')[0] == $"v={Convert.ToBase64String(_proof)}";
}
