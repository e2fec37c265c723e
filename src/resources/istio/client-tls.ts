// ClientTLSSettings (istio ValidateTLS).
import { joinPath } from "../field-path.ts";
import { bool, enumOf, list, obj, type ObjectSchema, str } from "../schema/schema.ts";

interface ClientTlsSpec {
  readonly mode?: string;
  readonly clientCertificate?: string;
  readonly privateKey?: string;
  readonly caCertificates?: string;
  readonly caCrl?: string;
  readonly credentialName?: string;
  readonly subjectAltNames?: readonly string[];
  readonly insecureSkipVerify?: boolean;
}

function isSet(text: string | undefined): boolean {
  return text !== undefined && text !== "";
}

export const clientTls: ObjectSchema = obj<ClientTlsSpec>(
  {
    mode: enumOf(["DISABLE", "SIMPLE", "MUTUAL", "ISTIO_MUTUAL"]),
    clientCertificate: str(),
    privateKey: str(),
    caCertificates: str(),
    caCrl: str(),
    credentialName: str(),
    subjectAltNames: list(str()),
    sni: str(),
    insecureSkipVerify: bool(),
  },
  {
    check: (tls, path, report) => {
      const simple = tls.mode === "SIMPLE";
      const mutual = tls.mode === "MUTUAL";
      if (tls.insecureSkipVerify === true && (simple || mutual)) {
        if (isSet(tls.caCertificates) || tls.subjectAltNames !== undefined || (simple && isSet(tls.credentialName))) {
          report.error(
            joinPath(path, "insecureSkipVerify"),
            "insecureSkipVerify and what would verify the server exclude each other",
            "Remove insecureSkipVerify, or caCertificates, subjectAltNames and credentialName.",
          );
        }
      }
      if ((simple || mutual) && isSet(tls.credentialName)) {
        if (isSet(tls.clientCertificate) || isSet(tls.caCertificates) || isSet(tls.privateKey) || isSet(tls.caCrl)) {
          report.error(joinPath(path, "credentialName"), "credentialName and certificate files exclude each other", "Keep one of them.");
        }
        return;
      }
      if (mutual && !isSet(tls.clientCertificate)) report.error(path, "MUTUAL needs clientCertificate", "Add it, or use credentialName.");
      if (mutual && !isSet(tls.privateKey)) report.error(path, "MUTUAL needs privateKey", "Add it, or use credentialName.");
    },
  },
);
