using System.Buffers.Binary;
using System.Net;
using System.Text;
using Bascule.Core.Model;

namespace Bascule.Health;

/// <summary>Does a PostgreSQL answer? Its protocol 3.0, as "Frontend/Backend Protocol" of its manual describes it.</summary>
internal sealed class PostgresProbe(PostgresCheck check, string? password, IPEndPoint target, TimeProvider time) : ConversationProbe(check, target, time)
{
    private const string Nobody = "bascule"; // somebody must be named
    private const string InvalidAuthorization = "28"; // class of SQLSTATE: who we are is the trouble, so it is well

    private readonly ScramClient? _scram = password is null ? null : new(password);

    /// <inheritdoc/>
    protected override async ValueTask<Verdict> AskAsync(Conversation talk, CancellationToken cancellation)
    {
        PostgresTalk postgres = new(talk, cancellation);
        if (StartsTls)
        {
            if (!await postgres.AsksForTlsAsync())
                return SqlVerdicts.NoTls;
            await EncryptAsync(talk, cancellation);
        }

        await postgres.StartAsync(check.User ?? Nobody, check.Database);
        return await LogInAsync(postgres) ?? await AskAsync(postgres);
    }

    /// <returns>Null when we are logged in and more is to be asked.</returns>
    private async ValueTask<Verdict?> LogInAsync(PostgresTalk postgres)
    {
        while (true)
        {
            PostgresMessage message = await postgres.ReadAsync();
            switch (message.Type)
            {
                case 'E' when check.User is null && message.ErrorField('C')?.StartsWith(InvalidAuthorization, StringComparison.Ordinal) == true:
                    return Verdict.Pass("it asks who is there");
                case 'E':
                    return SqlVerdicts.LoginRefused(message.Error);
                case 'R' when check.User is null:
                    return Verdict.Pass("it asks who is there");
                case 'R':
                    if (await AuthenticateAsync(message, postgres) is { } refused)
                        return refused;
                    break;
                case 'Z':
                    return null;
                default:
                    break; // parameters, a key to cancel by, notices
            }
        }
    }

    private async ValueTask<Verdict?> AuthenticateAsync(PostgresMessage request, PostgresTalk postgres)
    {
        if (request.Body.Length < 4)
            return Verdict.Failed("a broken message");
        int method = BinaryPrimitives.ReadInt32BigEndian(request.Body);
        ReadOnlyMemory<byte> rest = request.Body.AsMemory(4);
        if (method == 0)
            return null; // welcome
        if (password is null)
            return Verdict.Failed("it wants a password");
        switch (method)
        {
            case 3 when !Encrypts && !check.SaysPassword: // who stands in its place would learn the password
                return SqlVerdicts.KeepsPassword("`password` in its pg_hba.conf");
            case 3:
                await postgres.SendAsync('p', [.. Encoding.UTF8.GetBytes(password), 0]);
                return null;
            case 5 when rest.Length == 4:
                await postgres.SendAsync('p', [.. PostgresTalk.Md5(check.User!, password, rest.Span), 0]);
                return null;
            case 10 when Encoding.ASCII.GetString(rest.Span).Split('\0').Contains(ScramClient.Mechanism):
                return await AuthenticateByScramAsync(postgres);
            default:
                return Verdict.Failed($"it wants a login of a kind that this check does not know ({method})");
        }
    }

    private async ValueTask<Verdict?> AuthenticateByScramAsync(PostgresTalk postgres)
    {
        ScramExchange exchange = _scram!.Begin();
        byte[] first = Encoding.UTF8.GetBytes(exchange.First);
        byte[] length = new byte[4];
        BinaryPrimitives.WriteInt32BigEndian(length, first.Length);
        await postgres.SendAsync('p', [.. Encoding.ASCII.GetBytes(ScramClient.Mechanism), 0, .. length, .. first]);

        PostgresMessage challenge = await postgres.ReadAsync();
        if (challenge.Type == 'E')
            return SqlVerdicts.LoginRefused(challenge.Error);
        if (challenge.Sasl(11) is not { } said || exchange.Answer(said) is not { } answer)
            return Verdict.Failed("a broken login");
        await postgres.SendAsync('p', Encoding.UTF8.GetBytes(answer));

        PostgresMessage final = await postgres.ReadAsync();
        if (final.Type == 'E')
            return SqlVerdicts.LoginRefused(final.Error);
        return final.Sasl(12) is { } proof && exchange.IsProof(proof) ? null : Verdict.Failed("it does not know the password that it asked for");
    }

    private async ValueTask<Verdict> AskAsync(PostgresTalk postgres)
    {
        Verdict verdict = await SqlVerdicts.AskAsync(check, "SELECT pg_is_in_recovery()", isReplica: inRecovery => inRecovery == "t", postgres.QueryAsync);
        if (verdict.Passed)
            await postgres.SendAsync('X', []);
        return verdict;
    }
}
