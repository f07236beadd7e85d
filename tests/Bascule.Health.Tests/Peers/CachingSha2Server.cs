using System.Net;
using System.Security.Cryptography;
using System.Text;
using Bascule.Testing;

namespace Bascule.Health.Tests.Peers;

/// <summary>
/// The part of a MySQL that lets somebody in by caching_sha2_password and knows nobody yet, without TLS, by the description of the protocol: MySQL itself is not in Debian, and MariaDB does not know it.
/// </summary>
internal sealed class CachingSha2Server : IAsyncDisposable
{
    private static readonly byte[] Salt = [.. Enumerable.Range('a', 20).Select(c => (byte)c)];

    private readonly RSA _key = RSA.Create(2048);
    private readonly FakeRealServer _server;

    public CachingSha2Server(string password) => _server = FakeRealServer.Start(async client =>
    {
        await GreetAsync(client);
        await SendAsync(client, 2, [1, 4]); // perform_full_authentication
        byte[] asksForKey = await ReadAsync(client);
        await SendAsync(client, 4, [1, .. Encoding.ASCII.GetBytes(asksForKey is [2] ? _key.ExportSubjectPublicKeyInfoPem() : "")]);
        byte[] said = _key.Decrypt(await ReadAsync(client), RSAEncryptionPadding.OaepSHA1);
        bool isRight = Encoding.UTF8.GetString([.. said.Select((one, i) => (byte)(one ^ Salt[i % Salt.Length]))]) == $"{password}\0";
        await SendAsync(client, 6, isRight ? [0, 0, 0, 2, 0, 0, 0] : [0xFF, 0x15, 0x04, .. "#28000no"u8]);
        await client.ReadToEndAsync();
    });

    /// <summary>Where it listens.</summary>
    public IPEndPoint Address => _server.Address;

    /// <summary>The first word.</summary>
    public static byte[] Greeting(bool offersTls)
    {
        byte can = (byte)(0xF7 | (offersTls ? 8 : 0)); // CLIENT_SSL is 0x800
        return Packet(0, [10, (byte)'8', 0, 1, 0, 0, 0, .. Salt[..8], 0, 0xFF, can, 33, 2, 0, 0xFF, 0xFF, 21, .. new byte[10], .. Salt[8..], 0, .. "caching_sha2_password"u8, 0]);
    }

    /// <summary>A packet: three bytes of length, its number, its body.</summary>
    public static byte[] Packet(byte number, byte[] body) => [(byte)body.Length, (byte)(body.Length >> 8), 0, number, .. body];

    /// <summary>Says the first word, and takes a login.</summary>
    public static async Task GreetAsync(FakeConnection client)
    {
        await client.WriteAsync(Greeting(offersTls: false));
        await ReadAsync(client);
    }

    /// <summary>Sends a packet.</summary>
    public static async Task SendAsync(FakeConnection client, byte number, byte[] body) =>
        await client.WriteAsync(Packet(number, body));

    /// <summary>Takes a packet.</summary>
    public static async Task<byte[]> ReadAsync(FakeConnection client)
    {
        byte[] head = await client.ReadExactlyAsync(4);
        return await client.ReadExactlyAsync(head[0] | (head[1] << 8));
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        _key.Dispose();
    }
}
