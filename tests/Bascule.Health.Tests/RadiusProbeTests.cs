using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using Bascule.Core.Model;
using Bascule.Health.Tests.Peers;
using Bascule.Testing;

namespace Bascule.Health.Tests;

/// <summary>FreeRADIUS, which accepts "checker", and wants every request signed.</summary>
public sealed class FreeRadius : RealProgram
{
    /// <summary>Longer than a block of sixteen.</summary>
    public const string Password = "ein Passwort mit mehr als sechzehn Zeichen";

    /// <inheritdoc/>
    protected override bool IsInstalled => Installed.Find("freeradius") is not null;

    /// <inheritdoc/>
    protected override Task<string[]> PrepareAsync()
    {
        Write("dictionary", "$INCLUDE /usr/share/freeradius/dictionary\n");
        Write("radiusd.conf", $$"""
            prefix = /usr
            libdir = /usr/lib/freeradius
            logdir = {{Folder}}
            run_dir = {{Folder}}
            security {
              allow_vulnerable_openssl = yes
              reject_delay = 0
              status_server = yes
            }
            thread pool {
              start_servers = 1
              max_servers = 2
            }
            client localhost {
              ipaddr = 127.0.0.1
              secret = geheim
              require_message_authenticator = yes
            }
            modules {
              pap {
              }
            }
            server default {
              listen {
                type = auth
                ipaddr = 127.0.0.1
                port = {{Port}}
              }
              authorize {
                if (&User-Name == "checker") {
                  update control {
                    &Cleartext-Password := "{{Password}}"
                  }
                  pap
                }
              }
              authenticate {
                Auth-Type PAP {
                  pap
                }
              }
            }

            """);
        return Task.FromResult<string[]>([Installed.Find("freeradius")!, "-f", "-l", "stdout", "-d", Folder]);
    }

    /// <inheritdoc/>
    protected override bool IsReady() => Said.Contains("Ready to process requests", StringComparison.Ordinal);
}

public sealed class RadiusProbeTests(FreeRadius radius) : IClassFixture<FreeRadius>
{
    private static readonly RadiusCheck Nobody = new() { User = null, Password = null, Secret = new GivenPassword("geheim") };
    private static readonly RadiusCheck Checker = Nobody with { User = "checker", Password = new GivenPassword(FreeRadius.Password) };

    [RealProgramFact("freeradius")]
    public async Task Without_a_user_it_is_asked_whether_it_is_there() => Assert.Equal("up: it is there", await Ask.WhyAsync(Nobody, radius.Address));

    [RealProgramFact("freeradius")]
    public async Task A_user_is_accepted() => Assert.Equal("up: accepted", await Ask.WhyAsync(Checker, radius.Address));

    [RealProgramFact("freeradius")]
    public async Task A_wrong_password_or_user_is_rejected()
    {
        Assert.Equal("down: rejected", await Ask.WhyAsync(Checker with { Password = new GivenPassword("falsch") }, radius.Address));
        Assert.Equal("down: rejected", await Ask.WhyAsync(Checker with { User = "nobody" }, radius.Address));
    }

    [RealProgramFact("freeradius")]
    public async Task With_another_secret_it_does_not_answer() => await Ask.InVainAsync(Checker with { Secret = new GivenPassword("anders") }, radius.Address);

    [Fact]
    public async Task A_password_that_RADIUS_cannot_carry_is_no_word_against_the_real_server()
    {
        string path = Path.GetTempFileName();
        await File.WriteAllTextAsync(path, new string('x', 129));

        Assert.Equal("not asked: the password is longer than the 128 bytes that RADIUS can carry",
            await Ask.WhyAsync(Checker with { Password = new PasswordFile(path) }, new(System.Net.IPAddress.Loopback, 9)));
        File.Delete(path);
    }

    [Theory]
    [InlineData("copied", "the answer is signed with another secret")]
    [InlineData("short", "it does not speak RADIUS: \"hello\"")]
    [InlineData("longer than it is", "it does not speak RADIUS")]
    public async Task Another_answer_fails(string how, string why)
    {
        using DatagramServer server = new();
        Task<string> asking = Ask.WhyAsync(Checker, server.Address);
        byte[] request = await server.HearAsync();

        byte[] answer = how switch
        {
            "copied" => [2, request[1], 0, 20, .. request[4..20]],
            "short" => [.. "hello"u8],
            _ => [2, request[1], 0, 40, .. request[4..20]],
        };
        await server.SayAsync(answer);

        Assert.StartsWith($"down: {why}", await asking);
    }

    [Fact]
    [SuppressMessage("Security", "CA5351", Justification = "The protocol's, not ours.")]
    public async Task An_answer_to_another_request_is_not_taken_for_ours()
    {
        using DatagramServer server = new();
        Task<string> asking = Ask.WhyAsync(Checker, server.Address);
        byte[] request = await server.HearAsync();

        await server.SayAsync([2, (byte)(request[1] + 1), 0, 20, .. request[4..20]]);
        byte[] head = [2, request[1], 0, 20];
        await server.SayAsync([.. head, .. MD5.HashData((byte[])[.. head, .. request[4..20], .. "geheim"u8])]);

        Assert.Equal("up: accepted", await asking);
    }
}
